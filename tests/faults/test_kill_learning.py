"""kill -9 while AION learns: what served goes on, and the next run ends with the models of an undisturbed one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import counts
import pytest
from learner import learn
from learning_base import RULES, LearningBase, learning_base
from vocabulary_base import VocabularyBase, vocabulary_base
from workbench import Workbench

from aion_assets.core.learn.trainings import RELEASED, RETRIEVER_ADAPTER, last_trainings
from aion_assets.core.release.encoders import FULL, QUERY, embedder_in_use
from aion_assets.core.release.models import serving_release
from aion_assets.core.settings import Settings, load_settings
from aion_assets.core.steps.release import release_index

_STEPS = "aion_assets.core.steps"
# In the order of a run; the short form takes the first.
POINTS: list[tuple[str, dict[str, Any]]] = [
    ("a candidate is stored and not noted", {"at": f"{_STEPS}.training:store_candidate", "when": "after"}),
    ("new pairs are not stored", {"at": "aion_assets.core.learn.pairs:_store", "when": "before"}),
    ("a training has begun", {"at": f"{_STEPS}.training:read_training", "when": "after"}),
    ("a candidate is measured and not reported", {"at": f"{_STEPS}.candidate:store_report", "when": "before"}),
    ("it is reported and not judged", {"at": f"{_STEPS}.candidate:store_report", "when": "after"}),
    ("between tag and release", {"at": "lancedb.table:Tags.create", "when": "after", "of": "release-"}),
]  # fmt: skip
# In the order of a run, too; the first is a checkpoint that is whole, and the next run goes on from it.
ADAPTER_POINTS: list[tuple[str, dict[str, Any]]] = [
    ("a checkpoint is written", {"at": "trainer.checkpoint:write_durably", "when": "after", "call": 2}),
    ("a checkpoint is half written", {"at": "trainer.checkpoint:write_durably", "when": "before"}),
    ("an adapter is trained and not kept", {"at": "trainer.retriever_adapter:shutil.copytree", "when": "before"}),
    ("a merged model has no seal", {"at": "aion_assets.core.index.adapted_model:write_durably", "when": "before"}),
    ("a merged model is there", {"at": "aion_assets.core.index.adapted_model:sync_folder", "when": "before"}),
    ("a scale is chosen", {"at": "trainer.retriever_adapter:remove_adapted", "when": "after"}),
    ("the order behind it is not fitted", {"at": "trainer.retriever_adapter:learn_ranker", "when": "before"}),
    *POINTS[:1],
    *POINTS[3:],
]
FULL_POINTS: list[tuple[str, dict[str, Any]]] = [
    ("the second index is not built", {"at": f"{_STEPS}.shadow:build_index", "when": "before"}),
    ("the second index has no name", {"at": f"{_STEPS}.shadow:build_index", "when": "after"}),
]
RELEASED_NOT_NOTED = {"at": f"{_STEPS}.release:decided", "when": "before"}
_LONG = counts.LONG or int(os.environ.get("AION_TEST_KILLS", "4")) > 4
_TRIED = len(POINTS) if _LONG else 1
_TRIED_OF_ADAPTER = None if _LONG else 1
MODES = [QUERY, FULL] if _LONG else [QUERY]


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        made.label()
        made.serve_vectors_alone()
        made.click_what_is_right()
        yield made


def run(base: Workbench, plan: dict[str, Any]) -> int:
    command = [sys.executable, str(Path(__file__).with_name("learner.py")), json.dumps(plan)]
    environment = os.environ | {"AION_HOME": str(base.settings.home)}
    return subprocess.run(command, env=environment, timeout=120, check=False).returncode


def test_a_training_killed_at_one_point_after_the_other_ends_as_if_nothing_had_happened(
    base: LearningBase, tmp_path: Path
) -> None:
    before = serving_release(base.home)
    assert before is not None
    shutil.copytree(base.settings.home, tmp_path / "undisturbed")
    undisturbed = Workbench(Settings(home=tmp_path / "undisturbed", database_url=""))
    learn(undisturbed)
    wanted = serving_release(undisturbed.home)
    undisturbed.database.engine.dispose()
    assert wanted is not None and wanted.model_release_id != before.model_release_id, last_trainings(undisturbed.home)
    for what, plan in POINTS[:_TRIED]:
        assert run(base, plan) == -9, what
        serving = serving_release(base.home)
        assert serving is not None and serving.release_id == before.release_id, what
    assert run(base, RELEASED_NOT_NOTED) == -9
    counts.note("kills of a training between two commits", _TRIED + 1)
    serving = serving_release(base.home)
    assert serving is not None and serving.model_release_id == wanted.model_release_id, "the same bytes"
    assert base.lake.table_at(serving.table, serving.tag).count_rows() == RULES
    assert last_trainings(base.home)[0].outcome == ""
    assert release_index(base.home, base.model, "run-next").release_id == serving.release_id
    newest = last_trainings(base.home)[0]
    assert (newest.outcome, newest.candidate, newest.active) == (RELEASED, wanted.model_release_id, None)


@pytest.fixture
def words(home: Path, request: pytest.FixtureRequest) -> Iterator[VocabularyBase]:
    with vocabulary_base(retriever_adapter_mode=request.param) as made:
        made.label()
        yield made


@pytest.mark.parametrize("words", MODES, indirect=True)
def test_an_adapter_killed_at_one_point_after_the_other_has_the_bytes_of_an_undisturbed_one(
    words: VocabularyBase, tmp_path: Path
) -> None:
    mode = words.settings.retriever_adapter_mode
    before = serving_release(words.home)
    assert before is not None
    shutil.copytree(words.settings.home, tmp_path / "undisturbed")
    # From the environment: a copy of settings in use keeps the database that they opened.
    undisturbed = Workbench(load_settings().model_copy(update={"home": tmp_path / "undisturbed"}))
    learn(undisturbed, RETRIEVER_ADAPTER)
    wanted = serving_release(undisturbed.home)
    undisturbed.database.engine.dispose()
    assert wanted is not None and wanted.model_release_id != before.model_release_id, last_trainings(undisturbed.home)
    points = [*ADAPTER_POINTS, *(FULL_POINTS if mode == FULL else [])][:_TRIED_OF_ADAPTER]
    for what, plan in points:
        assert run(words, plan | {"learner": RETRIEVER_ADAPTER}) == -9, what
        serving = serving_release(words.home)
        assert serving is not None and serving.release_id == before.release_id, what
        assert embedder_in_use(words.home) == words.model, what
    counts.note("kills of a training between two commits", len(points))
    learn(words, RETRIEVER_ADAPTER)
    serving = serving_release(words.home)
    assert serving is not None and serving.model_release_id == wanted.model_release_id, "the same bytes"
    assert last_trainings(words.home)[0].outcome == RELEASED
    assert {path.name for path in (words.settings.home / "models").iterdir()} == {
        path.name for path in (tmp_path / "undisturbed" / "models").iterdir()
    }, "no half model is left"
