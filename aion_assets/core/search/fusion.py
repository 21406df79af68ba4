"""One order out of three scores: vector similarity, full text, and how much of the question a passage holds."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """Weight of the vectors by the language of the question; full text has the rest. `reading_weight` is the share of
    the reading in the mix of all three, and `sections_weight` the share of the passages' documents in the final score.

    The defaults fit an embedder that knows English better than Portuguese, such as the bundled one. With them the mix
    ranks better than the better half (docs/experiments.md, retrieval-faquad and retrieval-clapnq).
    """

    dense_weight_pt: float = 0.5
    dense_weight_en: float = 0.7
    tuned_on: int = 0
    reading_weight: float = 0.45
    sections_weight: float = 0.4

    def dense_weight(self, language: str) -> float:
        return self.dense_weight_en if language == "en" else self.dense_weight_pt

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FusionConfig":
        """A release that names no `sections_weight` gives sections no weight."""
        return cls(**{"sections_weight": 0.0, **data})


def fuse(dense: Scores, lexical: Scores, reading: Scores, *, dense_weight: float, reading_weight: float) -> Scores:
    """Convex mix of the scores, in [0, 1]. The first two are divided by the question's best, which makes cosines and
    BM25 sums comparable.

    Dividing by the best keeps how close the others come to it. Ranks forget that, so reciprocal rank fusion does worse;
    min-max scaling exaggerates it.
    """
    halves = dense_weight * _over_best(dense) + (1 - dense_weight) * _over_best(lexical)
    return (1 - reading_weight) * halves + reading_weight * reading


def _over_best(scores: Scores) -> Scores:
    best = scores.max(initial=0.0)
    return np.clip(scores, 0.0, None) / best if best > 0 else np.zeros_like(scores)
