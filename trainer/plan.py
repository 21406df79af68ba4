"""What a generator's training will take, told before it begins: memory, time, cost, and whether there is enough to
learn from. A run that cannot fit is refused before it holds a weight.

The shape of the model is counted on torch's meta device, which needs its configuration alone. The minutes are those of
its first layers, with random weights, on this machine.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aion_assets.core.errors import TrainingPlanError
from trainer.adapters import TARGETS
from trainer.base_model import ModelFiles, configuration_of, find_model_files, load_tokenizer
from trainer.pace import seconds_per_token
from trainer.sft import Conversation, Sample, SftConfig, batches, encode

_GB = 1e9
# NF4 keeps a scale of four bytes for each 64 weights: https://arxiv.org/abs/2305.14314
_NF4_BYTES = 0.5 + 4 / 64
# A trained weight in float32, its gradient and two moments of AdamW.
_TRAINED_BYTES = 16
# Of each input and output of an adapted layer: a copy in float32, one with dropout or scaled, and a mask, measured
# (docs/experiments.md, planning).
_ADAPTED_BYTES = 4 + 4 + 1
# Of the logits: as they come, in float32, their softmax, and two gradients.
_LOGIT_BYTES = 2 + 4 + 4 + 4 + 2
# Widths of a layer that are kept for the way back, besides inputs of adapted layers: norms, attention, residual.
_KEPT_HIDDEN, _KEPT_INNER = 8, 3
# Python, torch and the libraries, measured (docs/experiments.md, planning).
_PROCESS_BYTES = 0.6 * _GB
# Tokens for each trained weight, by the estimate of Hoffmann et al. 2022, https://arxiv.org/abs/2203.15556. Theirs is
# for models that begin with nothing, so fewer is a remark and no refusal.
_TOKENS_PER_WEIGHT = 20


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Weights by kind: `linear` of the layers, `other` with embeddings and the head. `adapted` are (in, out) of each
    layer that an adapter changes.
    """

    linear: int
    other: int
    layers: int
    hidden: int
    inner: int
    vocabulary: int
    adapted: Sequence[tuple[int, int]]

    def trained(self, rank: int) -> int:
        """Weights of an adapter of that rank."""
        return sum(rank * (inputs + outputs) for inputs, outputs in self.adapted)


@dataclass(frozen=True, slots=True)
class Machine:
    """`free_bytes` of the memory that trains: the GPU's where there is one. The price is that of an hour. `pace` tells
    the seconds of a token; it is asked where the run fits.
    """

    device: str
    free_bytes: int
    price: float = 0.0
    pace: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`tokens` are those of all epochs. `cost` is in the currency of the price per hour that was given. Both it and the
    minutes are 0 where the run does not fit.
    """

    trained_weights: int
    tokens: int
    needed_bytes: int
    free_bytes: int
    minutes: float
    cost: float
    device: str

    @property
    def fits(self) -> bool:
        return self.needed_bytes <= self.free_bytes

    def figures(self) -> dict[str, Any]:
        return {
            "planned_memory_mb": round(self.needed_bytes / 1e6),
            "planned_minutes": round(self.minutes, 1),
            "planned_cost": round(self.cost, 2),
            "planned_tokens": self.tokens,
            "trained_weights": self.trained_weights,
        }

    def says(self) -> str:
        """One sentence or two for a person."""
        cost = f", {self.cost:.2f} in money" if self.cost else ""
        minutes = f"about {self.minutes:.0f} minutes, " if self.fits else ""
        said = (
            f"{self.tokens} tokens through {self.trained_weights} trained weights on {self.device}: {minutes}"
            f"{self.needed_bytes / _GB:.1f} GB of {self.free_bytes / _GB:.1f} GB free{cost}."
        )
        wanted = self.trained_weights * _TOKENS_PER_WEIGHT
        if self.tokens < wanted:
            said += f" That many weights could learn from {wanted} tokens; a lower rank suffices for fewer."
        return said


def plan_training(
    shape: ModelShape, samples: Sequence[Sample], config: SftConfig, machine: Machine, *, in_4bit: bool
) -> Plan:
    epochs = (batches(samples, config.batch_tokens, config.seed + epoch) for epoch in range(config.epochs))
    sizes = [_size([samples[number] for number in batch]) for epoch in epochs for batch in epoch]
    needed = _weights_bytes(shape, in_4bit) + _TRAINED_BYTES * shape.trained(config.rank) + _PROCESS_BYTES
    needed += max(size.tokens * _token_bytes(shape) + size.said * shape.vocabulary * _LOGIT_BYTES for size in sizes)
    tokens = sum(size.tokens for size in sizes)
    hours = tokens * machine.pace() / 3600 if needed <= machine.free_bytes else 0.0
    return Plan(
        trained_weights=shape.trained(config.rank),
        tokens=tokens,
        needed_bytes=int(needed),
        free_bytes=machine.free_bytes,
        minutes=hours * 60,
        cost=hours * machine.price,
        device=machine.device,
    )


def refuse_what_cannot_fit(plan: Plan, config: SftConfig) -> None:
    """Raises TrainingPlanError: the memory that is free does not hold the run."""
    if not plan.fits:
        raise TrainingPlanError(
            f"The training needs about {plan.needed_bytes / _GB:.1f} GB, and {plan.free_bytes / _GB:.1f} GB are free "
            f"on {plan.device}.",
            f"Set AION_LOAD_IN_4BIT=true, take a smaller AION_BASE_MODEL or a lower AION_LORA_BATCH_TOKENS (now "
            f"{config.batch_tokens}), or train on another machine.",
        )


def shape_of(files: ModelFiles) -> ModelShape:
    """Of a model whose weights are not loaded."""
    import torch
    from transformers import AutoModelForCausalLM

    config = configuration_of(files)
    model_class: Any = AutoModelForCausalLM
    with torch.device("meta"):
        model: Any = model_class.from_config(config, trust_remote_code=False)
    text = config.get_text_config()
    head = model.get_output_embeddings()
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    linear = sum(module.weight.numel() for module in layers.values())
    hidden = int(text.hidden_size)
    return ModelShape(
        linear=linear,
        other=sum(parameter.numel() for parameter in model.parameters()) - linear,
        layers=int(text.num_hidden_layers),
        hidden=hidden,
        inner=int(getattr(text, "intermediate_size", 0) or 4 * hidden),
        vocabulary=int(text.vocab_size),
        adapted=[
            (module.in_features, module.out_features)
            for name, module in layers.items()
            if name.rsplit(".", 1)[-1] in TARGETS
        ],
    )


def this_machine(price: float = 0.0) -> Machine:
    import psutil
    import torch

    on_gpu = torch.cuda.is_available()
    free = torch.cuda.mem_get_info()[0] if on_gpu else psutil.virtual_memory().available
    name = torch.cuda.get_device_name() if on_gpu else f"{os.cpu_count()} cores"
    return Machine(name, int(free), price)


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a batch, padding included: its tokens, and those of which the model says the next one for the loss."""

    tokens: int
    said: int


def _size(batch: Sequence[Sample]) -> _Size:
    longest = max(len(sample.ids) for sample in batch)
    places = {place for sample in batch for place, label in enumerate(sample.labels) if label >= 0}
    return _Size(len(batch) * longest, len(batch) * len(places))


def planned(name: str, rows: Sequence[Conversation], config: SftConfig, *, in_4bit: bool, price: float) -> Plan:
    """Of the model with that name, on this machine. Raises GeneratorError and TrainingDataError as the run would."""
    files = find_model_files(name)
    samples, _too_long = encode(rows, load_tokenizer(files), config.max_tokens)
    machine = replace(this_machine(price), pace=lambda: seconds_per_token(files, samples, config))
    return plan_training(shape_of(files), samples, config, machine, in_4bit=in_4bit)


def _weights_bytes(shape: ModelShape, in_4bit: bool) -> float:
    """In bfloat16 where NF4 is not asked for; a machine without it takes twice as much for the same model."""
    from trainer.embedder import best_precision

    whole = 2 if best_precision() == "bf16" else 4
    return shape.linear * (_NF4_BYTES if in_4bit else whole) + shape.other * whole


def _token_bytes(shape: ModelShape) -> float:
    """What one token of a batch keeps for the way back."""
    adapted = sum(inputs + outputs for inputs, outputs in shape.adapted) * _ADAPTED_BYTES
    return adapted + 2 * shape.layers * (_KEPT_HIDDEN * shape.hidden + _KEPT_INNER * shape.inner)
