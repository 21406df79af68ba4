"""Train a LoRA adapter of a generator on question-and-answer rows: loss on the answer only, resumable to the bit.

An own loop: its checkpoint holds adapter, optimiser, random state and place in the data, so that a killed run goes on
as if nothing had happened. Samples of one step have nearly one length, so that little is padded and nothing is packed;
packing without block masks changes what a sample sees.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aion_assets.core.errors import TrainingDataError
from aion_assets.core.ids import digest
from trainer.adapters import TARGETS, AdapterRecord, write_adapter
from trainer.base_model import BaseModel
from trainer.chat_template import ChatTemplate
from trainer.checkpoint import Checkpoints

if TYPE_CHECKING:
    from torch import Tensor

# Messages of {role, content}; the last is an answer.
Conversation = Sequence[dict[str, str]]
_IGNORED = -100
# Where steps are slow, a kill costs no more than this.
_CHECKPOINT_AFTER_S = 180.0


@dataclass(frozen=True, slots=True)
class SftConfig:
    """`batch_tokens`: of the samples that are computed at once; `accumulation`: how many such batches make a step."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    learning_rate: float = 2e-4
    epochs: int = 1
    batch_tokens: int = 2048
    accumulation: int = 4
    max_tokens: int = 1024
    warmup: float = 0.05
    checkpoint_every: int = 200
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """`labels` are the ids where the answer stands and -100 elsewhere."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SftResult:
    record: AdapterRecord
    losses: list[float]
    too_long: int
    tokens: int

    def figures(self) -> dict[str, float]:
        """What stands of the run in its metadata."""
        return {
            "too_long": self.too_long,
            "tokens": self.tokens,
            "steps": len(self.losses),
            "first_loss": round(self.losses[0], 4),
            "last_loss": round(self.losses[-1], 4),
        }


def lora_of(config: SftConfig) -> Any:
    """PEFT's form of the adapter that is trained."""
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(TARGETS),
    )


def encode(rows: Sequence[Conversation], tokenizer: Any, max_tokens: int) -> tuple[list[Sample], int]:
    """Samples of conversations that end with an answer, and how many were left out as too long.

    Raises TrainingDataError: a sample would teach nothing, or not how to end.
    """
    template = ChatTemplate(tokenizer)
    ends = template.end_ids
    samples: list[Sample] = []
    too_long = 0
    for row in rows:
        if not row or row[-1]["role"] != "assistant":
            raise TrainingDataError("A training row does not end with an answer.")
        prompt = template.tokens(row[:-1])
        text = template.text(row, begin_answer=False)
        whole = tokenizer(text, add_special_tokens=not template.is_own)["input_ids"]
        if whole[: len(prompt)] != prompt:
            raise TrainingDataError("The model's template writes a question otherwise once it is answered.")
        end = next((place for place in range(len(whole) - 1, len(prompt) - 1, -1) if whole[place] in ends), None)
        if end is None:
            whole, end = [*whole, next(iter(sorted(ends)))], len(whole)
        ids = whole[: end + 1]
        if len(ids) - len(prompt) < 2:
            raise TrainingDataError("A training row has an empty answer.")
        if len(ids) > max_tokens:
            too_long += 1
            continue
        samples.append(Sample(tuple(ids), (*[_IGNORED] * len(prompt), *ids[len(prompt) :])))
    if not samples:
        raise TrainingDataError(f"No training row fits into {max_tokens} tokens ({too_long} are longer).")
    return samples, too_long


def train_adapter(
    base: BaseModel,
    rows: Sequence[Conversation],
    config: SftConfig,
    folder: Path,
    show: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> SftResult:
    """Train, and write the adapter to folder/adapter. `show` gets step, steps and loss.

    What folder/checkpoints holds of the same data, base and configuration is gone on from. The base model is left with
    its adapter. Raises TrainingDataError: the rows cannot be trained on. AdapterError: nothing was learned.
    """
    samples, too_long = encode(rows, base.tokenizer, config.max_tokens)
    run = _Run(base, samples, config, folder / "checkpoints")
    run.resume()
    saved_at = time.monotonic()
    for step in range(run.step, run.steps):
        loss = run.advance(step)
        show(step + 1, run.steps, loss)
        due = (step + 1) % config.checkpoint_every == 0 or time.monotonic() - saved_at > _CHECKPOINT_AFTER_S
        if due and step + 1 < run.steps:
            run.save()
            saved_at = time.monotonic()
    target = folder / "adapter"
    shutil.rmtree(target, ignore_errors=True)
    record = write_adapter(run.wrapped, base, target)
    return SftResult(record, run.losses, too_long, run.tokens)


def batches(samples: Sequence[Sample], batch_tokens: int, seed: int) -> list[list[int]]:
    """Numbers of samples that are computed at once, in the order of one epoch: of like length, and shuffled."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(samples), generator=generator).tolist()
    order = sorted(shuffled, key=lambda number: len(samples[number].ids))
    made: list[list[int]] = []
    for number in order:
        longest = len(samples[number].ids)
        if made and longest * (len(made[-1]) + 1) <= batch_tokens:
            made[-1].append(number)
        else:
            made.append([number])
    return [made[place] for place in torch.randperm(len(made), generator=generator).tolist()]


def answer_loss(model: Any, chosen: Sequence[Sample]) -> "Tensor":
    """Sum of the losses of the answers' tokens."""
    import torch

    longest = max(len(sample.ids) for sample in chosen)
    ids = torch.zeros(len(chosen), longest, dtype=torch.long)
    labels = torch.full((len(chosen), longest), _IGNORED)
    mask = torch.zeros(len(chosen), longest, dtype=torch.long)
    for row, sample in enumerate(chosen):
        size = len(sample.ids)
        ids[row, :size], labels[row, :size] = torch.tensor(sample.ids), torch.tensor(sample.labels)
        mask[row, :size] = 1
    ids, labels, mask = ids.to(model.device), labels.to(model.device), mask.to(model.device)
    # Logits of the prompt would take most of the memory and a third of the time, and are not looked at.
    places = (labels[:, 1:] != _IGNORED).any(dim=0).nonzero().squeeze(1)
    said = model(input_ids=ids, attention_mask=mask, use_cache=False, logits_to_keep=places)
    return torch.nn.functional.cross_entropy(
        said.logits.float().flatten(0, 1), labels[:, places + 1].flatten(), ignore_index=_IGNORED, reduction="sum"
    )


class _Run:
    """One training run: model, optimiser, and where it stands."""

    def __init__(self, base: BaseModel, samples: Sequence[Sample], config: SftConfig, folder: Path) -> None:
        import torch
        from peft import get_peft_model

        self._samples, self._config = samples, config
        torch.manual_seed(config.seed)
        self.wrapped: Any = get_peft_model(base.model, lora_of(config))
        self._trained = {name: value for name, value in self.wrapped.named_parameters() if value.requires_grad}
        for value in self._trained.values():  # adapters in bfloat16 lose most of their small steps
            value.data = value.data.float()
        self._optimiser = torch.optim.AdamW(
            self._trained.values(), lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=0.0
        )
        epochs = (batches(samples, config.batch_tokens, config.seed + epoch) for epoch in range(config.epochs))
        self._plan = [*chain.from_iterable(epochs)]
        self.steps = math.ceil(len(self._plan) / config.accumulation)
        self.step, self.tokens = 0, 0
        self.losses: list[float] = []
        key = digest("sft", base.digest, json.dumps(asdict(config)), *(repr(sample) for sample in samples))
        self._checkpoints = Checkpoints(folder, key, self._trained, self._optimiser)

    def advance(self, step: int) -> float:
        """One step of the optimiser; the loss per token of the answers."""
        import torch

        self.wrapped.train()
        for group in self._optimiser.param_groups:
            group["lr"] = self._config.learning_rate * self._schedule(step)
        size = self._config.accumulation
        group_of = self._plan[step * size : (step + 1) * size]
        chosen = [self._samples[number] for batch in group_of for number in batch]
        supervised = sum(label != _IGNORED for sample in chosen for label in sample.labels)
        total = 0.0
        for batch in group_of:
            loss: Any = answer_loss(self.wrapped, [self._samples[number] for number in batch]) / supervised
            loss.backward()
            total += float(loss.detach())
            self.tokens += sum(len(self._samples[number].ids) for number in batch)
        if not math.isfinite(total):
            raise TrainingDataError(f"The loss is {total} at step {step + 1}.", "Lower the learning rate.")
        norm = float(torch.nn.utils.clip_grad_norm_(self._trained.values(), 1.0))
        if norm == 0.0:
            raise TrainingDataError(f"Nothing is learned at step {step + 1}: every gradient is zero.")
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.step = step + 1
        self.losses.append(total)
        return total

    def _schedule(self, step: int) -> float:
        """Linear warm-up, then a cosine to zero."""
        warm = max(1, round(self._config.warmup * self.steps))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, self.steps - warm)))

    def save(self) -> None:
        self._checkpoints.save(self.step, tokens=self.tokens, losses=self.losses)

    def resume(self) -> None:
        if found := self._checkpoints.resume():
            self.step, self.tokens, self.losses = found["step"], found["tokens"], found["losses"]
