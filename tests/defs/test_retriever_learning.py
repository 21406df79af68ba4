"""The retriever adapter as Dagster runs it: from pairs to a release, and taken back when it proves worse."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from pipeline import QUIET, metadata_of
from safetensors.numpy import load_file, save_file
from vocabulary_base import VocabularyBase, vocabulary_base

from aion_assets.core.home import Home
from aion_assets.core.index.adapted_model import Adaptation, merge_adapter
from aion_assets.core.learn.trainings import RELEASED, last_trainings
from aion_assets.core.learn.watch import today_of
from aion_assets.core.release.encoders import adaptation_of, embedder_in_use, encoders_of
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.models import store_candidate
from aion_assets.core.release.releases import Publication, Release, current_release, publish
from aion_assets.core.search.ranker import halves_only
from aion_assets.definitions import defs
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.training import sensors


@pytest.fixture
def base(home: Path) -> Iterator[VocabularyBase]:
    with vocabulary_base() as made:
        made.label()
        yield made


@pytest.fixture
def instance(base: VocabularyBase, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    from aion_assets.local.foreground import dagster_home, dagster_instance

    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
    with dagster_instance() as opened:
        yield opened


def _run(instance: dg.DagsterInstance, job: str, **options: object) -> dg.ExecuteInProcessResult:
    definition = defs.resolve_job_def(job)
    return definition.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, **options)  # type: ignore[arg-type]


def _publish(home: Home, models: ModelManifest) -> Release:
    """Past every gate."""
    store_candidate(home, models, "run-forced")
    return publish(home, current_release(home.database, home.tenant_id).index, models, Publication("tester"))


def _force_shuffled(home: Home, good: Release) -> Release:
    """Release the good models with an adapter whose weights were shuffled."""
    adaptation = adaptation_of(good.models)
    assert adaptation is not None
    folder = next((home.settings.home / "adapters").iterdir())
    weights = load_file(folder / "adapter_model.safetensors")
    chance = np.random.default_rng(0)
    shuffled = {name: 4 * chance.permuted(value.ravel()).reshape(value.shape) for name, value in weights.items()}
    save_file(shuffled, folder / "adapter_model.safetensors")
    forced = Adaptation(adaptation.base_id, "shuffled", 1.0)
    merge_adapter(encoders_of(home, good.models).passages, folder, forced, home.settings.home / "models")
    encoder = good.models.query_encoder | {"adapter": "shuffled", "scale": 1.0}
    return _publish(home, replace(good.models, query_encoder=encoder))


def test_pairs_become_a_release_that_finds_what_was_never_trained_on(
    base: VocabularyBase, instance: dg.DagsterInstance
) -> None:
    before = current_release(base.database, base.tenant_id)
    result = _run(instance, "learn_retriever_adapter")
    report = metadata_of(result, "retriever_report")
    assert result.success, report
    assert report["passes"] and report["gain/dense/low"] > 0
    after = current_release(base.database, base.tenant_id)
    assert after.model_release_id == report["candidate"] and last_trainings(base.home)[0].outcome == RELEASED
    assert after.table == before.table and after.models.passage_embedder == before.models.passage_embedder
    assert embedder_in_use(base.home) == base.model
    told = " ".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert "zorp" not in told and "bicycle" not in told

    good = _publish(base.home, replace(after.models, ranker=halves_only(1.0, 0.0).to_json()))
    day = today_of(base.home).isoformat()
    assert _run(instance, "measure_day", partition_key=day).success
    _force_shuffled(base.home, good)
    assert _run(instance, "measure_day", partition_key=day).success
    context = dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
    told_by_sensor = sensors.release_regression_sensor(context=context, knowledge_base=KnowledgeBaseResource())
    assert isinstance(told_by_sensor, dg.SkipReason) and "Rolled back" in str(told_by_sensor.skip_message)
    assert current_release(base.database, base.tenant_id).models.text == good.models.text


def test_passages_that_are_embedded_anew_become_a_release_with_an_index_of_its_own(
    base: VocabularyBase, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AION_RETRIEVER_ADAPTER_MODE", "full")
    before = current_release(base.database, base.tenant_id)
    result = _run(instance, "learn_retriever_adapter")
    report = metadata_of(result, "retriever_report")
    assert result.success, report
    after = current_release(base.database, base.tenant_id)
    assert after.model_release_id == report["candidate"] and last_trainings(base.home)[0].outcome == RELEASED
    assert after.table != before.table and after.models.passage_embedder != before.models.passage_embedder
