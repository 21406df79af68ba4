"""Train a LoRA adapter of an embedding model: a question's vector comes near that of the passage that answers it.

The loss is a softmax over the right passage and wrong ones (van den Oord et al. 2018). In query mode the vectors of
passages are those of the index and stand still, so that every passage can be a wrong one; in full mode the passages of
a step are embedded with it, and each row brings hard ones of its own. The same rows, seed and threads give the same
bytes, resumed or not. Nothing drops out: it halves the time of a step on a processor, and there is little to overfit.
"""

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.errors import TrainingDataError
from aion_assets.core.ids import digest
from aion_assets.core.learn.contrastive_rows import ContrastiveRows, Row, Vectors
from aion_assets.core.release.encoders import FULL
from trainer.adapters import AdapterRecord, write_adapter
from trainer.checkpoint import Checkpoints
from trainer.encoder import TARGETS, TrainableEncoder

if TYPE_CHECKING:
    from torch import Tensor

_QUESTION_TOKENS = 64
# Wrong passages of a step in query mode; more tell no better.
_MOST_WRONG = 4096
_MOST_EPOCHS = 12
# Of how many questions, and of as many passages as there are wrong ones, the spread of cosines is taken.
_SPREAD_OF = 512
# Where all cosines are alike, the temperature is not zero.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class ContrastiveConfig:
    """`margin`: a passage this near to the right one is nearly the same, so it is no wrong one. `hard`: wrong passages
    that each row brings in full mode. `passage_tokens`: what is read of a passage while training. Few rows are gone
    over more often, so that `least_steps` are made. `temperature` of the softmax, in standard deviations of the base's
    cosines between questions and passages: those of E5 lie four times as close together as those of MiniLM. `level`
    weighs how far the mean cosine of a question moves, in the same deviations: the softmax does not feel it, but the
    order of candidates, the choice of the sentence and the confidence read cosines as they are.
    """

    mode: str
    rank: int = 16
    alpha: int = 32
    learning_rate: float = 5e-4
    epochs: int = 3
    least_steps: int = 80
    batch: int = 32
    temperature: float = 0.3
    level: float = 0.1
    margin: float = 0.95
    hard: int = 1
    passage_tokens: int = 128
    warmup: float = 0.1
    checkpoint_every: int = 20
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ContrastiveResult:
    record: AdapterRecord
    losses: list[float]


def train_contrastive(
    encoder: TrainableEncoder,
    data: ContrastiveRows,
    config: ContrastiveConfig,
    folder: Path,
    show: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> ContrastiveResult:
    """Train, and write the adapter to folder/adapter. `show` gets step, steps and loss.

    What folder/checkpoints holds of the same rows, base and configuration is gone on from. Raises TrainingDataError:
    the rows cannot be trained on. AdapterError: nothing was learned.
    """
    run = _Run(encoder, data, config, folder / "checkpoints")
    run.resume()
    for step in range(run.step, run.steps):
        loss = run.advance(step)
        show(step + 1, run.steps, loss)
        if (step + 1) % config.checkpoint_every == 0 and step + 1 < run.steps:
            run.save()
    target = folder / "adapter"
    shutil.rmtree(target, ignore_errors=True)
    record = write_adapter(run.wrapped, encoder.base, target, encoder.probe)
    return ContrastiveResult(record, run.losses)


def hard_negatives(data: ContrastiveRows, questions: Vectors, margin: float, count: int) -> list[list[int]]:
    """For each row the nearest passages that are wrong: of another document, and not nearly the right one.

    `questions` are the vectors (rows, dimension) of the base.
    """
    documents = np.array([passage.doc_id for passage in data.passages])
    found = []
    for row, question in zip(data.rows, questions, strict=True):
        right = data.vectors[row.passage]
        near = np.argsort(-(data.vectors @ question), kind="stable")
        wrong = [
            int(place)
            for place in near[: 20 + 10 * count]
            if documents[place] != documents[row.passage] and float(data.vectors[place] @ right) < margin
        ]
        found.append(wrong[:count])
    return found


class _Run:
    """One training run: model, optimiser, and where it stands."""

    def __init__(
        self, encoder: TrainableEncoder, data: ContrastiveRows, config: ContrastiveConfig, folder: Path
    ) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        self._encoder, self._data, self._config = encoder, data, config
        torch.use_deterministic_algorithms(True)
        # It costs time, and nothing here reads such memory.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.manual_seed(config.seed)
        lora = LoraConfig(
            task_type="FEATURE_EXTRACTION", r=config.rank, lora_alpha=config.alpha, lora_dropout=0.0,
            target_modules=list(TARGETS),
        )  # fmt: skip
        # In evaluation mode the base's own dropout is off, too.
        self.wrapped: Any = get_peft_model(encoder.base.model, lora).eval()
        # The folder's path would make the adapter's digest another one in each home.
        self.wrapped.peft_config["default"].base_model_name_or_path = encoder.model.embedder_id
        self._trained = {name: value for name, value in self.wrapped.named_parameters() if value.requires_grad}
        self._optimiser = torch.optim.AdamW(self._trained.values(), lr=config.learning_rate, weight_decay=0.01)
        once = max(1, len(data.rows) // config.batch)
        epochs = min(_MOST_EPOCHS, max(config.epochs, math.ceil(config.least_steps / once)))
        self._plan = [rows for epoch in range(epochs) for rows in _batches(len(data.rows), config, epoch)]
        self.steps, self.step = len(self._plan), 0
        self.losses: list[float] = []
        prefix = encoder.model.encoder
        self._questions = [encoder.tokens(row.question, prefix.query_prefix, _QUESTION_TOKENS) for row in data.rows]
        numbers = {doc_id: number for number, doc_id in enumerate(dict.fromkeys(p.doc_id for p in data.passages))}
        self._documents = torch.tensor([numbers[passage.doc_id] for passage in data.passages])
        self._vectors = torch.from_numpy(np.ascontiguousarray(data.vectors))
        questions = self._base_vectors()
        self._before = torch.from_numpy(questions)
        self._hard = hard_negatives(data, questions, config.margin, config.hard)
        spread = float((questions[:_SPREAD_OF] @ data.vectors[:_MOST_WRONG].T).std())
        self._spread = max(round(spread, 4), _LEAST_SPREAD)
        key = digest("contrastive", encoder.base.digest, json.dumps(asdict(config)), data.digest)
        self._checkpoints = Checkpoints(folder, key, self._trained, self._optimiser)

    def advance(self, step: int) -> float:
        """One step of the optimiser; its loss: that of its rows by weight, and that of their levels."""
        import torch

        for group in self._optimiser.param_groups:
            group["lr"] = self._config.learning_rate * self._schedule(step)
        numbers = self._plan[step]
        rows = [self._data.rows[number] for number in numbers]
        questions = self._encoder.encode(self.wrapped, [self._questions[number] for number in numbers])
        places = self._candidates(step, numbers)
        passages = self._vectors[places] if self._config.mode != FULL else self._embedded(rows, places)
        cosines = questions @ passages.T
        before = self._before[numbers] @ self._vectors[places].T
        moved = (cosines.mean(dim=1) - before.mean(dim=1)) / self._spread
        loss: Any = self._loss(cosines, rows, places) + self._config.level * moved.square().mean()
        loss.backward()
        total = float(loss.detach())
        if not math.isfinite(total):
            raise TrainingDataError(f"The loss is {total} at step {step + 1}.", "Lower the learning rate.")
        if float(torch.nn.utils.clip_grad_norm_(self._trained.values(), 1.0)) == 0.0:
            raise TrainingDataError(f"Nothing is learned at step {step + 1}: every gradient is zero.")
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.step = step + 1
        self.losses.append(total)
        return total

    def _candidates(self, step: int, numbers: Sequence[int]) -> "Tensor":
        """Places of the passages of a step: the right one of each row first, in their order, then wrong ones."""
        import torch

        right = torch.tensor([self._data.rows[number].passage for number in numbers])
        if self._config.mode == FULL:
            taken = dict.fromkeys(place for number in numbers for place in self._hard[number])
            return torch.cat([right, torch.tensor([*taken], dtype=torch.long)])
        everything = torch.arange(len(self._data.passages))
        if len(everything) > _MOST_WRONG:
            chance = torch.Generator().manual_seed(self._config.seed + 1_000_003 * step)
            everything = torch.randperm(len(everything), generator=chance)[:_MOST_WRONG]
        return torch.cat([right, everything])

    def _embedded(self, rows: Sequence[Row], places: "Tensor") -> "Tensor":
        """Vectors of the passages at these places by the model that is trained; of a row what of it is learned."""
        texts = [row.text or self._data.passages[row.passage].text for row in rows]
        texts += [self._data.passages[place].text for place in places[len(rows) :].tolist()]
        prefix, limit = self._encoder.model.encoder.passage_prefix, self._config.passage_tokens
        return self._encoder.encode(self.wrapped, [self._encoder.tokens(text, prefix, limit) for text in texts])

    def _loss(self, cosines: "Tensor", rows: Sequence[Row], places: "Tensor") -> "Tensor":
        """Of question i passage i is the right one; others that may be right, too, do not count."""
        import torch

        count = len(rows)
        scores = cosines / (self._config.temperature * self._spread)
        base = self._vectors[places]
        maybe = (base[:count] @ base.T >= self._config.margin) | (
            self._documents[places[:count]].unsqueeze(1) == self._documents[places].unsqueeze(0)
        )
        maybe[torch.arange(count), torch.arange(count)] = False
        scores = scores.masked_fill(maybe, float("-inf"))
        weights = torch.tensor([row.weight for row in rows])
        losses = torch.nn.functional.cross_entropy(scores, torch.arange(count), reduction="none")
        return (weights * losses).sum() / weights.sum()

    def _base_vectors(self) -> Vectors:
        """(rows, dimension) of the questions, before anything is learned."""
        import torch

        found: list[NDArray[np.float32]] = []
        with torch.no_grad():
            for begin in range(0, len(self._questions), 64):
                part = self._questions[begin : begin + 64]
                found.append(self._encoder.encode(self.wrapped, part).cpu().numpy())
        return np.concatenate(found) if found else np.zeros((0, self._vectors.shape[1]), dtype=np.float32)

    def _schedule(self, step: int) -> float:
        """Linear warm-up, then linearly to zero."""
        warm = max(1, round(self._config.warmup * self.steps))
        return (step + 1) / warm if step < warm else (self.steps - step) / max(1, self.steps - warm)

    def save(self) -> None:
        self._checkpoints.save(self.step, losses=self.losses)

    def resume(self) -> None:
        if found := self._checkpoints.resume():
            self.step, self.losses = found["step"], found["losses"]


def _batches(count: int, config: ContrastiveConfig, epoch: int) -> list[list[int]]:
    """Numbers of rows by step, shuffled. Rows that fill no batch join the last one."""
    import torch

    order = torch.randperm(count, generator=torch.Generator().manual_seed(config.seed + epoch)).tolist()
    steps = max(1, count // config.batch)
    return [
        order[step * config.batch : (step + 1) * config.batch if step + 1 < steps else count] for step in range(steps)
    ]
