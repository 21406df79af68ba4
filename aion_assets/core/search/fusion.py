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
    `dense_floor` is the cosine of a passage that has nothing to do with the question; 0 means that cosines count over
    the question's best.

    The defaults fit an embedder that knows English better than Portuguese, such as MiniLM. With them the mix ranks
    better than the better half (docs/experiments.md, retrieval-faquad and retrieval-clapnq).
    """

    dense_weight_pt: float = 0.5
    dense_weight_en: float = 0.7
    tuned_on: int = 0
    reading_weight: float = 0.45
    sections_weight: float = 0.4
    dense_floor: float = 0.0

    def dense_weight(self, language: str) -> float:
        return self.dense_weight_en if language == "en" else self.dense_weight_pt

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FusionConfig":
        """A release that names no `sections_weight` gives sections no weight."""
        return cls(**{"sections_weight": 0.0, **data})


# The cosines of e5 lie between .7 and .9 whatever is asked, so that dividing by the best would flatten them.
_E5 = FusionConfig(
    dense_weight_pt=0.875, dense_weight_en=0.875, reading_weight=0.27, sections_weight=0.0, dense_floor=0.7
)


def builtin_fusion(embedder_id: str) -> FusionConfig:
    """What holds until labelled questions of the installation choose otherwise."""
    return _E5 if "e5" in embedder_id.lower() else FusionConfig()


def fuse(dense: Scores, lexical: Scores, reading: Scores, config: FusionConfig, language: str) -> Scores:
    """Convex mix of the scores, in [0, 1]. Full text is divided by the question's best, and so are cosines without a
    floor, which makes them comparable.

    Dividing by the best keeps how close the others come to it. Ranks forget that, so reciprocal rank fusion does worse;
    min-max scaling exaggerates it.
    """
    floor, weight = config.dense_floor, config.dense_weight(language)
    near = np.clip((dense - floor) / (1 - floor), 0.0, 1.0) if floor else _over_best(dense)
    halves = weight * near + (1 - weight) * _over_best(lexical)
    return (1 - config.reading_weight) * halves + config.reading_weight * reading


def _over_best(scores: Scores) -> Scores:
    best = scores.max(initial=0.0)
    return np.clip(scores, 0.0, None) / best if best > 0 else np.zeros_like(scores)
