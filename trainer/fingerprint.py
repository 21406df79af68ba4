"""The functional fingerprint of an adapter: what the model says to fixed prompts with it and without it.

Weights can be loaded without an error and yet do nothing, or be added to another base. What the model computes cannot
lie about that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.base_model import BaseModel

Logits = NDArray[np.float32]

_PROMPTS = ("Qual é o prazo?", "The answer is", "1. ")
# Logits that are kept of each prompt, spread over the vocabulary.
_PROBES = 256
# Of logits whose spread is some units. bfloat16 alone moves them by less than a tenth.
_LEAST_EFFECT = 1e-3
_MOST_NOISE = 0.35
# The effect may differ by this share of it, and twice the noise that precision makes.
_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Logits (prompts, probes) of the base alone, and with the adapter."""

    without: Logits
    with_it: Logits

    @property
    def effect(self) -> float:
        """Root mean square of what the adapter changes."""
        return _rms(self.with_it - self.without)

    @property
    def is_idle(self) -> bool:
        return not self.effect >= _LEAST_EFFECT  # true for NaN, too

    def differs_from(self, now: "Fingerprint") -> str:
        """How what is computed now differs from this record, in words; "" where it does not."""
        if self.without.shape != now.without.shape:
            return "was made for another vocabulary"
        noise = _rms(now.without - self.without)
        if not noise <= _MOST_NOISE:
            return "was made for another base model"
        if now.is_idle:
            return "changes nothing"
        allowed = _SHARE * self.effect + 2 * noise
        if not _rms((now.with_it - now.without) - (self.with_it - self.without)) <= allowed:
            return "does not do what it did when it was trained"
        return ""

    def as_dict(self) -> dict[str, list[list[float]]]:
        return {"without": _rounded(self.without), "with": _rounded(self.with_it)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Sequence[Sequence[float]]]) -> "Fingerprint":
        return cls(np.array(stored["without"], dtype=np.float32), np.array(stored["with"], dtype=np.float32))


def measure(base: BaseModel) -> Logits:
    """Logits behind the fixed prompts, with whatever adapter the model has active."""
    import torch

    size = int(base.model.get_input_embeddings().weight.shape[0])
    probes = torch.linspace(0, size - 1, min(_PROBES, size)).long()
    rows: list[Any] = []
    with torch.no_grad():
        for prompt in _PROMPTS:
            ids = base.tokenizer(prompt, return_tensors="pt")["input_ids"].to(base.device)
            logits = base.model(input_ids=ids, use_cache=False).logits[0, -1].float().cpu()
            rows.append(logits[probes].numpy())
    return np.stack(rows).astype(np.float32)


def _rms(values: Logits) -> float:
    return float(np.sqrt(np.mean(np.square(values.astype(np.float64)))))


def _rounded(values: Logits) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in values]
