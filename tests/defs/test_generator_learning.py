"""An adapter of the base model, from the record to a folder, as Dagster runs it."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from learning_base import GOLDEN, RULES, LearningBase, learning_base, question
from pipeline import QUIET, metadata_of
from small_llama import small_llama

from aion_assets.core.learn.trainings import COMPLETE, FAILED, GENERATOR, last_trainings, request_training
from aion_assets.core.settings import Settings
from aion_assets.definitions import defs


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        for number in range(GOLDEN, RULES):
            made.ask(number)
        yield made


@pytest.fixture
def instance(base: LearningBase, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    from aion_assets.local.foreground import dagster_home, dagster_instance

    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
    with dagster_instance() as opened:
        yield opened


def run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def("learn_generator")
    return job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)


def test_a_training_that_was_asked_for_leaves_an_adapter_and_says_how_it_serves(
    base: LearningBase, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{question(number)} Under rule a warehouse keeper must count the pallets" for number in range(RULES)]
    model = small_llama(tmp_path / "llama", window=4096, words=[*texts, "Use only the numbered passages. " * 9])
    monkeypatch.setenv("AION_BASE_MODEL", str(model))
    request_training(base.home, GENERATOR, "tester", "Started by hand.")
    result = run(instance)
    assert result.success
    dataset, made = metadata_of(result, "sft_dataset"), metadata_of(result, "generator_adapter")
    assert dataset["dagster/row_count"] == dataset["split/train"] + dataset["split/held_out"]
    assert made["rows"] == dataset["split/train"]
    folders = [folder.name for folder in (base.home.settings.home / "adapters").iterdir()]
    assert folders == [made["adapter"][:16]]
    training = last_trainings(base.home)[0]
    assert (training.state, training.run_id) == (COMPLETE, result.run_id)
    assert folders[0] in training.says
    curve = instance.fetch_observations(dg.AssetKey(["training", "generator_adapter"]), limit=5).records
    assert curve, "the loss is shown in the run"


def test_without_a_base_model_the_training_fails_with_a_reason(
    base: LearningBase, instance: dg.DagsterInstance
) -> None:
    request_training(base.home, GENERATOR, "tester", "Started by hand.")
    assert not run(instance).success
    training = last_trainings(base.home)[0]
    assert training.state == FAILED
    assert training.says
