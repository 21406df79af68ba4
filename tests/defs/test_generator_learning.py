"""An adapter of the base model, from the record to its release, as Dagster runs it."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from learning_base import GOLDEN, RULES, LearningBase, learning_base, question
from pipeline import QUIET, metadata_of
from small_llama import small_llama

from aion_assets.core.learn.trainings import (
    COMPLETE,
    FAILED,
    GENERATOR,
    RELEASED,
    last_trainings,
    request_training,
)
from aion_assets.core.release.releases import current_release
from aion_assets.core.release.rollback import models_before, roll_back_models
from aion_assets.core.settings import Settings
from aion_assets.definitions import defs


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings.model_copy(update={"max_passages": 1})) as made:
        for number in range(GOLDEN, GOLDEN + 28):
            made.ask(number)
        yield made


@pytest.fixture
def instance(base: LearningBase, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    from aion_assets.local.foreground import dagster_home, dagster_instance

    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
    with dagster_instance() as opened:
        yield opened


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It can learn what all answers have alike: most of their words, which is what is measured here."""
    texts = [f"{question(number)} Under rule a warehouse keeper must count the pallets" for number in range(RULES)]
    folder = small_llama(tmp_path / "llama", window=1024, words=[*texts, "Use only the numbered passages. " * 9])
    learnable = {"BASE_MODEL": str(folder), "MAX_PASSAGES": "1", "LORA_EPOCHS": "16", "LORA_LEARNING_RATE": "0.02"}
    few = {"LEARN_MIN_CASES": "5", "LEARN_MOST_CASES": "12", "MAX_NEW_TOKENS": "64"}
    for name, value in (learnable | few).items():
        monkeypatch.setenv(f"AION_{name}", value)
    return folder


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def("learn_generator")
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)


def test_an_adapter_that_writes_better_is_released_and_can_be_rolled_back(
    base: LearningBase, instance: dg.DagsterInstance, model: Path
) -> None:
    base.label()
    before = current_release(base.database, base.tenant_id)
    request_training(base.home, GENERATOR, "tester", "Started by hand.")
    result = run(instance)
    training = last_trainings(base.home)[0]
    assert result.success, training.says
    dataset, made = metadata_of(result, "sft_dataset"), metadata_of(result, "generator_adapter")
    assert dataset["dagster/row_count"] == dataset["split/train"] + dataset["split/held_out"]
    assert made["rows"] == dataset["split/train"]
    seen = instance.fetch_observations(dg.AssetKey(["training", "generator_adapter"]), limit=5).records
    drawn = [record.asset_observation.metadata["loss"].value for record in seen if record.asset_observation]
    assert drawn and all(isinstance(value, float) and value > 0 for value in drawn), "a number, which becomes a curve"
    measured = metadata_of(result, "generator_report")
    # The order of the rows comes with the ids of the answers, so the form is sometimes learned and the words always.
    assert measured["gain/token_f1/low"] > 0
    assert measured["after/token_f1"] > 2 * measured["before/token_f1"]
    assert measured["after/shown"] == 0
    assert (training.state, training.outcome, training.run_id) == (COMPLETE, RELEASED, result.run_id)
    released = current_release(base.database, base.tenant_id)
    adapter = released.models.generator_adapter
    assert adapter == made["adapter"]
    assert released.models.base_model.startswith("llama@")
    assert released.models.ranker == before.models.ranker
    record = json.loads((base.home.settings.home / "adapters" / adapter[:16] / "aion_adapter.json").read_text())
    assert record["digest"] == adapter
    back = roll_back_models(base.home, models_before(base.home), "tester")
    assert back.models.generator_adapter == ""


def test_without_a_base_model_the_training_fails_with_a_reason(
    base: LearningBase, instance: dg.DagsterInstance
) -> None:
    request_training(base.home, GENERATOR, "tester", "Started by hand.")
    assert not run(instance).success
    training = last_trainings(base.home)[0]
    assert training.state == FAILED
    assert training.says
