"""An adapter that embeds passages, too: an index of its own, complete beside the one that serves, then the flip."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from vocabulary_base import VocabularyBase, vocabulary_base

from aion_assets.core.index.adapted_model import Adaptation, is_adapted, merge_adapter
from aion_assets.core.index.contents import index_version
from aion_assets.core.index.embedding_model import find_embedding_model
from aion_assets.core.lake.tables import knowledge_name, knowledge_table
from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.learn.regression import find_regression
from aion_assets.core.learn.trainings import RELEASED, RETRIEVER_ADAPTER, WATCH, last_trainings
from aion_assets.core.release.encoders import FULL, embedder_in_use
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.models import store_candidate
from aion_assets.core.release.releases import Publication, Release, current_release, publish
from aion_assets.core.release.rollback import roll_back_models
from aion_assets.core.search.ranker import halves_only
from aion_assets.core.steps.candidate import measure_candidate
from aion_assets.core.steps.golden_figures import golden_figures
from aion_assets.core.steps.release import release_index
from aion_assets.core.steps.shadow import build_shadow, remove_unused
from aion_assets.core.steps.training import begin_training, finish_training
from trainer.embedder import Embedder, embedder_of
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


def _serve(base: VocabularyBase, index: Mapping[str, Any], models: ModelManifest) -> Release:
    """Past every gate, and measured on the golden questions."""
    store_candidate(base.home, models, "run-forced")
    release = publish(base.home, index, models, Publication("tester"))
    golden_figures(base.home, lambda models: embedder_of(base.home, models))
    return release


def _force_shuffled(base: VocabularyBase, good: Release) -> Release:
    """The good models with an adapter whose weights were shuffled, over vectors of its own."""
    home = base.home
    folder = next((home.settings.home / "adapters").iterdir())
    weights = load_file(folder / "adapter_model.safetensors")
    chance = np.random.default_rng(0)
    shuffled = {name: 40 * chance.permuted(value.ravel()).reshape(value.shape) for name, value in weights.items()}
    save_file(shuffled, folder / "adapter_model.safetensors")
    name = merge_adapter(
        base.model, folder, Adaptation(base.model.embedder_id, "shuffled", 1.0), home.settings.home / "models"
    )
    adapted = find_embedding_model(name, home.settings.home)
    build_shadow(home, Embedder(adapted), "run-forced")
    models = replace(
        good.models,
        passage_embedder={"id": adapted.embedder_id, "name": adapted.name, "dimension": adapted.dimension},
        query_encoder=good.models.query_encoder | {"adapter": "shuffled", "scale": 1.0},
    )
    return _serve(base, index_version(home.lake, knowledge_name(adapted.embedder_id)), models)


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
    good = _serve(base, after.index, replace(after.models, ranker=halves_only(1.0, 0.0).to_json()))
    worse = _force_shuffled(base, good)
    assert worse.table not in (good.table, before.table)
    found = find_regression(base.home)
    assert found.to == good.model_release_id, found.says
    roll_back_models(base.home, found.to, WATCH)
    assert current_release(base.database, base.tenant_id) == good, "nothing else changed"
    back = roll_back_models(base.home, before.model_release_id, "tester")
    assert back.table == before.table and embedder_in_use(base.home) == base.model
