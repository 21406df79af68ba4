"""Training on rows: what is learned, what is refused, and that a killed run goes on as if nothing had happened."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from peft import get_peft_model
from small_llama import small_llama

from aion_assets.core.errors import TrainingDataError
from trainer.base_model import BaseModel, load_base_model
from trainer.sft import Sample, SftConfig, answer_loss, batches, encode, lora_of, train_adapter

WORDS = ("sea", "river", "road", "wind", "hill", "lake", "snow", "rain")
ROWS = [
    [{"role": "user", "content": f"the {word}"}, {"role": "assistant", "content": f"{word} and sky"}] for word in WORDS
]
CONFIG = SftConfig(rank=4, learning_rate=1e-2, epochs=3, batch_tokens=64, accumulation=2, checkpoint_every=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_llama(tmp_path_factory.mktemp("base") / "llama")


def test_only_the_answer_is_learned_and_it_ends_on_the_token_of_the_template(folder: Path) -> None:
    base = load_base_model(str(folder))
    samples, too_long = encode(ROWS[:1], base.tokenizer, 512)
    (sample,) = samples
    answer = [token for token in sample.labels if token != -100]
    assert base.tokenizer.decode(answer) == "sea and sky<|im_end|>"
    assert sample.ids[-len(answer) :] == tuple(answer)
    assert too_long == 0


def test_rows_that_teach_nothing_are_refused_and_long_ones_are_counted(folder: Path) -> None:
    base = load_base_model(str(folder))
    long = [{"role": "user", "content": "x" * 600}, {"role": "assistant", "content": "y"}]
    assert encode([*ROWS, long], base.tokenizer, 512)[1] == 1
    for bad in ([{"role": "user", "content": "the sea"}], [], [*ROWS[0][:1], {"role": "assistant", "content": ""}]):
        with pytest.raises(TrainingDataError):
            encode([bad], base.tokenizer, 512)
    with pytest.raises(TrainingDataError, match="1 are longer"):
        encode([long], base.tokenizer, 512)


def test_every_sample_is_in_one_batch_of_an_epoch_and_no_batch_is_too_large() -> None:
    samples = [Sample((1,) * size, (1,) * size) for size in (3, 40, 7, 9, 22, 5, 64, 90)]
    made = batches(samples, 64, seed=3)
    assert sorted(number for batch in made for number in batch) == list(range(len(samples)))
    for batch in made:
        longest = max(len(samples[number].ids) for number in batch)
        assert longest * len(batch) <= 64 or len(batch) == 1
    assert made == batches(samples, 64, seed=3) != batches(samples, 64, seed=4)


def test_a_sample_has_the_same_loss_in_a_batch_as_alone(folder: Path) -> None:
    base = load_base_model(str(folder))
    samples, _ = encode(ROWS, base.tokenizer, 512)
    model = get_peft_model(base.model, lora_of(replace(CONFIG, dropout=0.0))).train()
    together = float(answer_loss(model, samples).detach())
    alone = sum(float(answer_loss(model, [sample]).detach()) for sample in samples)
    assert together == pytest.approx(alone, rel=1e-4)


def test_the_loss_falls_and_the_same_rows_give_the_same_adapter(folder: Path, tmp_path: Path) -> None:
    one = train_adapter(load_base_model(str(folder)), ROWS, CONFIG, tmp_path / "one")
    two = train_adapter(load_base_model(str(folder)), ROWS, CONFIG, tmp_path / "two")
    other = train_adapter(load_base_model(str(folder)), ROWS, replace(CONFIG, seed=1), tmp_path / "three")
    assert one.losses[-1] < 0.7 * one.losses[0]
    assert one.record.digest == two.record.digest != other.record.digest


def test_another_process_makes_the_same_adapter_of_the_same_rows(folder: Path, tmp_path: Path) -> None:
    digests = set()
    for seed in ("1", "2"):  # of the order of sets
        script = f"""
from pathlib import Path
from test_sft import CONFIG, ROWS
from trainer.base_model import load_base_model
from trainer.sft import train_adapter
print(train_adapter(load_base_model({str(folder)!r}), ROWS, CONFIG, Path({str(tmp_path / seed)!r})).record.digest)
"""
        paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, check=True, timeout=120, capture_output=True, text=True
        )
        digests.add(done.stdout.split()[-1])
    assert len(digests) == 1


@pytest.mark.parametrize("in_4bit", [False, True], ids=["as stored", "NF4"])
def test_a_killed_run_goes_on_from_its_checkpoint_with_the_same_losses(
    folder: Path, tmp_path: Path, in_4bit: bool
) -> None:
    wide = small_llama(tmp_path / "wide", width=64) if in_4bit else folder  # NF4 is packed by 64

    def base() -> BaseModel:
        return load_base_model(str(wide), in_4bit=in_4bit)

    whole = train_adapter(base(), ROWS, CONFIG, tmp_path / "whole")
    assert whole.losses[-1] < 0.8 * whole.losses[0]

    def dies(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_adapter(base(), ROWS, CONFIG, tmp_path / "killed", dies)
    steps: list[int] = []
    resumed = train_adapter(base(), ROWS, CONFIG, tmp_path / "killed", lambda step, *_: steps.append(step))
    assert steps[0] == 5, "from the checkpoint after step 4"
    assert resumed.losses == pytest.approx(whole.losses, rel=1e-6)
    assert resumed.record.digest == whole.record.digest


def test_a_checkpoint_of_other_rows_is_not_gone_on_from(folder: Path, tmp_path: Path) -> None:
    train_adapter(load_base_model(str(folder)), ROWS, CONFIG, tmp_path)
    steps: list[int] = []
    few = replace(CONFIG, checkpoint_every=1, epochs=1)
    train_adapter(load_base_model(str(folder)), ROWS[1:], few, tmp_path, lambda step, *_: steps.append(step))
    assert steps[0] == 1
    kept = [int(path.name) for path in (tmp_path / "checkpoints").iterdir()]
    assert kept and max(kept) < max(steps), "those of the other run, which was longer, are gone"
