"""kill -9 while AION learns: what served goes on, and the next run ends with the models of an undisturbed one."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from learner import learn
from learning_base import RULES, LearningBase, learning_base
from workbench import Workbench

from aion_assets.core.learn.trainings import RELEASED, last_trainings
from aion_assets.core.release.models import serving_release
from aion_assets.core.settings import Settings
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
RELEASED_NOT_NOTED = {"at": f"{_STEPS}.release:decided", "when": "before"}
_TRIED = 1 if int(os.environ.get("AION_TEST_KILLS", "4")) <= 4 else len(POINTS)


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        made.label()
        made.serve_vectors_alone()
        made.click_what_is_right()
        yield made


def run(base: LearningBase, plan: dict[str, Any]) -> int:
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
    serving = serving_release(base.home)
    assert serving is not None and serving.model_release_id == wanted.model_release_id, "the same bytes"
    assert base.lake.table_at(serving.table, serving.tag).count_rows() == RULES
    assert last_trainings(base.home)[0].outcome == ""
    assert release_index(base.home, base.model, "run-next").release_id == serving.release_id
    newest = last_trainings(base.home)[0]
    assert (newest.outcome, newest.candidate, newest.active) == (RELEASED, wanted.model_release_id, None)
