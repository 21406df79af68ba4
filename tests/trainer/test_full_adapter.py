"""An adapter that embeds passages, too: an index of its own, complete beside the one that serves, then the flip."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from vocabulary_base import VocabularyBase, vocabulary_base

from aion_assets.core.index.adapted_model import is_adapted
from aion_assets.core.lake.tables import knowledge_table
from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.learn.trainings import RELEASED, RETRIEVER_ADAPTER, last_trainings
from aion_assets.core.release.encoders import FULL, embedder_in_use
from aion_assets.core.release.releases import current_release
from aion_assets.core.release.rollback import roll_back_models
from aion_assets.core.steps.candidate import measure_candidate
from aion_assets.core.steps.release import release_index
from aion_assets.core.steps.shadow import remove_unused
from aion_assets.core.steps.training import begin_training, finish_training
from trainer.embedder import embedder_of
from trainer.retriever_adapter import train_retriever_adapter


@pytest.fixture
def base(home: Path) -> Iterator[VocabularyBase]:
    with vocabulary_base(retriever_adapter_mode=FULL) as made:
        made.label()
        yield made


def _learn(base: VocabularyBase) -> None:
    build_pairs(base.home)
    task = begin_training(base.home, RETRIEVER_ADAPTER, "run-train")
    result = train_retriever_adapter(
        base.home, {**task.request, "config": {"least_steps": 20}}, lambda _done, _total, _what: None
    )
    assert finish_training(base.home, task, result, "run-train")


def test_the_release_flips_to_the_index_of_the_adapted_model_and_back(base: VocabularyBase) -> None:
    before = current_release(base.database, base.tenant_id)
    _learn(base)
    assert current_release(base.database, base.tenant_id) == before, "nothing flips before its gate"
    report = measure_candidate(base.home, lambda models: embedder_of(base.home, models), "run-1")
    assert report.verdict.passes, report.verdict.says
    assert report.verdict.gains["dense"].is_real
    release_index(base.home, embedder_in_use(base.home), "run-1")
    after = current_release(base.database, base.tenant_id)
    assert after.table != before.table and after.index["rows"] == before.index["rows"]
    assert last_trainings(base.home)[0].outcome == RELEASED

    used = embedder_in_use(base.home)
    assert is_adapted(used.name) and used.embedder_id == after.models.passage_embedder["id"]
    assert release_index(base.home, used, "run-2").release_id == after.release_id, "content releases stay with it"
    blocked = knowledge_table("adapted-0123456789abcdef@0123456789ab", 3)
    base.lake.grown(blocked)
    assert remove_unused(base.home) == [blocked.name], "what serves and may serve again stays"
    assert base.lake.exists(before.table) and embedder_in_use(base.home) == used
    back = roll_back_models(base.home, before.model_release_id, "tester")
    assert back.table == before.table and embedder_in_use(base.home) == base.model
