"""What a training run takes is told before it begins."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_llama import small_llama

from aion_assets.core.errors import TrainingPlanError
from trainer.base_model import find_model_files, load_base_model
from trainer.pace import of_layers, seconds_per_token
from trainer.plan import Machine, ModelShape, plan_training, refuse_what_cannot_fit, shape_of, this_machine
from trainer.sft import Sample, SftConfig

MACHINE = Machine("2 cores", 8_000_000_000)
# SmolLM2-135M-Instruct, counted on the model itself.
SHAPE = ModelShape(
    linear=106_168_320,
    other=28_346_688,
    layers=30,
    hidden=576,
    inner=1536,
    vocabulary=49_152,
    adapted=[*[(576, 576), (576, 192), (576, 192), (576, 576), (576, 1536), (576, 1536), (1536, 576)] * 30],
)
SAMPLES = [Sample(tuple(range(100, 356)), (-100,) * 128 + tuple(range(128))) for _ in range(16)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_llama(tmp_path_factory.mktemp("base"))


def test_the_weights_are_counted_without_loading_them(folder: Path) -> None:
    from peft import LoraConfig, get_peft_model

    from trainer.adapters import TARGETS

    shape = shape_of(find_model_files(str(folder)))
    model = load_base_model(str(folder)).model
    assert shape.linear + shape.other == sum(parameter.numel() for parameter in model.parameters())
    wrapped = get_peft_model(model, LoraConfig(r=4, target_modules=list(TARGETS)))
    assert shape.trained(4) == sum(value.numel() for value in wrapped.parameters() if value.requires_grad)


@pytest.mark.parametrize(("batch_tokens", "measured_gb"), [(1024, 5.06), (2048, 9.22)])
def test_memory_is_foretold_within_a_fifth_of_what_was_measured(batch_tokens: int, measured_gb: float) -> None:
    # One step of SmolLM2 on 2 cores with bfloat16; docs/experiments.md, planning.
    length = batch_tokens // 4
    samples = [Sample(tuple(range(length)), tuple(range(length))) for _ in range(8)]
    plan = plan_training(SHAPE, samples, SftConfig(batch_tokens=batch_tokens), MACHINE, in_4bit=False)
    assert plan.needed_bytes / 1e9 == pytest.approx(measured_gb, rel=0.2)


def test_four_bits_and_smaller_batches_take_less() -> None:
    whole = plan_training(SHAPE, SAMPLES, SftConfig(), MACHINE, in_4bit=False)
    assert plan_training(SHAPE, SAMPLES, SftConfig(), MACHINE, in_4bit=True).needed_bytes < whole.needed_bytes
    smaller = SftConfig(batch_tokens=512)
    assert plan_training(SHAPE, SAMPLES, smaller, MACHINE, in_4bit=False).needed_bytes < whole.needed_bytes


def test_twice_the_epochs_take_twice_the_time_and_money() -> None:
    priced = replace(MACHINE, free_bytes=10_000_000_000, price=3.0, pace=lambda: 0.01)
    once = plan_training(SHAPE, SAMPLES, SftConfig(), priced, in_4bit=False)
    twice = plan_training(SHAPE, SAMPLES, SftConfig(epochs=2), priced, in_4bit=False)
    assert twice.minutes == pytest.approx(2 * once.minutes)
    assert twice.cost == pytest.approx(2 * once.cost)
    assert once.minutes == pytest.approx(0.01 * 16 * 256 / 60)
    assert once.cost == pytest.approx(3.0 * once.minutes / 60)


def test_what_cannot_fit_is_refused_with_both_figures_and_a_way_out() -> None:
    plan = plan_training(SHAPE, SAMPLES, SftConfig(), replace(MACHINE, free_bytes=2_000_000_000), in_4bit=False)
    with pytest.raises(TrainingPlanError, match=r"needs about \d\.\d GB, and 2\.0 GB are free.*AION_LOAD_IN_4BIT"):
        refuse_what_cannot_fit(plan, SftConfig())
    refuse_what_cannot_fit(replace(plan, free_bytes=plan.needed_bytes), SftConfig())


def test_a_run_that_does_not_fit_is_not_timed() -> None:
    def refused() -> float:
        raise AssertionError("its layers were run")

    plan = plan_training(SHAPE, SAMPLES, SftConfig(), replace(MACHINE, free_bytes=1, pace=refused), in_4bit=False)
    assert "minutes" not in plan.says()


def test_a_machine_knows_its_memory() -> None:
    assert this_machine().free_bytes > 100_000_000


def test_the_pace_of_all_layers_follows_from_that_of_a_few(folder: Path) -> None:
    assert of_layers(10, few=0.5, more=0.9) == pytest.approx(0.5 + 8 * 0.1)
    assert of_layers(2, few=0.5, more=0.4) == 0.5  # noise makes no layer faster than none
    samples = [Sample(tuple(range(90)), (-100,) * 45 + tuple(range(45)))] * 4
    assert seconds_per_token(find_model_files(str(folder)), samples, SftConfig(rank=4)) > 0
