"""The order of candidates: a linear mix of what is known of each passage, with weights that are learned.

Every feature lies in [0, 1], no weight is negative, and the weights of a language sum to 1. So a score lies in [0, 1],
too, and a weight is a share of it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.reading import READING_FEATURES, READING_SHARES
from aion_assets.core.search.sections import section_scores

Scores = NDArray[np.float64]

BUILTIN_E5 = "builtin_ranker_e5.json"

# In the order of the columns. Dividing by the question's best keeps how close the others come to it. Ranks forget that,
# so reciprocal rank fusion does worse; min-max scaling exaggerates it.
RANKING_FEATURES = (
    "dense",  # cosine above the floor of the ranker; over the question's best where there is no floor
    "full_text",  # BM25 over the question's best
    "own_full_text",  # the same, 0 for a passage in another language, where equal words are chance or names
    *READING_FEATURES,
    "sections",  # what the passage's document scores, over the best document
)
_COLUMN = {name: column for column, name in enumerate(RANKING_FEATURES)}
_SECTIONS = _COLUMN["sections"]
# The weights of a question to a base that hardly holds its language. Its words are found there by chance or as names,
# and all sections of a page are about as near.
CROSSED = "crossed"
_FEW = 0.1  # of the candidates: single passages are taken for another language


@dataclass(frozen=True, slots=True)
class Ranker:
    """`weights` are language ("pt", "en") → feature → share, and those for CROSSED where they are known. `dense_floor`
    is the cosine of a passage that has nothing to do with the question; 0 means that cosines count over the question's
    best. `fitted_on` tells what the weights were learned from, {} for weights set by hand.
    """

    weights: Mapping[str, Mapping[str, float]]
    dense_floor: float = 0.0
    fitted_on: Mapping[str, Any] = field(default_factory=dict)

    def shares(self, language: str) -> Scores:
        """(features,) that sum to 1, also for CROSSED. All languages but English are ranked as Portuguese, as in the
        index.
        """
        known = language if language in self.weights else ENGLISH if language == ENGLISH else PORTUGUESE
        named = self.weights[known]
        shares = np.array([max(0.0, named.get(name, 0.0)) for name in RANKING_FEATURES])
        return shares / (shares.sum() or 1.0)

    def features(self, hits: Sequence[Hit], language: str) -> Scores:
        """(hits, features) of all candidates of one question. They must be all, as some features compare them."""
        matrix = np.zeros((len(hits), len(RANKING_FEATURES)))
        if hits:
            cosines = np.array([hit.dense for hit in hits])
            matrix[:, 0] = self._above_floor(cosines) if self.dense_floor else _over_best(cosines)
            matrix[:, 1] = _over_best(np.array([hit.lexical for hit in hits]))
            matrix[:, 3:_SECTIONS] = [hit.read for hit in hits]
            matrix[:, 2] = matrix[:, 1] * matrix[:, _COLUMN["language"]]
            alone = self.shares(self.kind(matrix, language))[:_SECTIONS]
            passages = matrix[:, :_SECTIONS] @ alone / (alone.sum() or 1.0)
            matrix[:, _SECTIONS] = section_scores(hits, passages)
        return matrix

    def kind(self, features: Scores, language: str) -> str:
        """Whose weights hold for a question in `language` with these candidates."""
        own = features[:, _COLUMN["language"]]
        return CROSSED if CROSSED in self.weights and len(own) and own.mean() < _FEW else language

    def scores(self, features: Scores, language: str) -> Scores:
        """(hits,) in [0, 1]"""
        scores: Scores = features @ self.shares(self.kind(features, language))
        return scores

    def ranked(self, hits: Sequence[Hit], language: str) -> list[Hit]:
        """The same hits with their scores, by falling score."""
        scores = self.scores(self.features(hits, language), language)
        for hit, score in zip(hits, scores.tolist(), strict=True):
            hit.score = score
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))

    def with_shares(self, weights: Mapping[str, Iterable[float]], fitted_on: Mapping[str, Any]) -> "Ranker":
        """Language → shares in the order of RANKING_FEATURES; languages that are not named keep theirs."""
        named = {
            language: dict(zip(RANKING_FEATURES, (round(float(share), 5) for share in shares), strict=True))
            for language, shares in weights.items()
        }
        return Ranker({**self.weights, **named}, self.dense_floor, fitted_on)

    def to_json(self) -> dict[str, Any]:
        weights = {language: dict(named) for language, named in self.weights.items()}
        return {"weights": weights, "dense_floor": self.dense_floor, "fitted_on": dict(self.fitted_on)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Ranker":
        """Also reads what releases until 0.2.0 hold, and ranks as they did. Raises KeyError, TypeError or ValueError:
        it is neither, or has a feature that this AION does not know.
        """
        if "weights" not in data:
            return _of_fusion(data)
        unknown = {name for named in data["weights"].values() for name in named} - {*RANKING_FEATURES}
        if unknown:
            raise ValueError(f"unknown ranking features: {', '.join(sorted(unknown))}")
        return cls(data["weights"], float(data["dense_floor"]), data["fitted_on"])

    def _above_floor(self, cosines: Scores) -> Scores:
        return np.clip((cosines - self.dense_floor) / (1 - self.dense_floor), 0.0, 1.0)


def halves_only(dense: float, floor: float) -> Ranker:
    """Only the vectors, with the share `dense`, and full text."""
    named = {"dense": dense, "full_text": 1 - dense}
    return Ranker({PORTUGUESE: named, ENGLISH: named}, floor)


def _of_fusion(data: Mapping[str, Any]) -> Ranker:
    """Until 0.2.0 a release named the share of the vectors beside full text, by language, that of the reading beside
    both, and that of the sections beside all.
    """
    reading, sections = float(data.get("reading_weight", 0.45)), float(data.get("sections_weight", 0.0))
    passage = 1 - sections

    def mixed(dense: float) -> dict[str, float]:
        halves = {"dense": dense, "full_text": 1 - dense}
        return {
            **{name: passage * (1 - reading) * share for name, share in halves.items()},
            **{name: passage * reading * share for name, share in READING_SHARES.items()},
            "sections": sections,
        }

    weights = {PORTUGUESE: mixed(float(data["dense_weight_pt"])), ENGLISH: mixed(float(data["dense_weight_en"]))}
    return Ranker(weights, float(data.get("dense_floor", 0.0)), {"questions": int(data.get("tuned_on", 0))})


# Fits an embedder that knows English better than Portuguese, such as MiniLM.
_HAND_SET = {"dense_weight_pt": 0.5, "dense_weight_en": 0.7, "reading_weight": 0.45, "sections_weight": 0.4}


@cache
def builtin_ranker(embedder_id: str) -> Ranker:
    """What holds until labelled questions of the installation teach another: for e5 what `bench/fit_ranker.py` wrote
    (docs/experiments.md, ranker).
    """
    if "e5" not in embedder_id.lower():
        return _of_fusion(_HAND_SET)
    fitted = files("aion_assets.core.search").joinpath(BUILTIN_E5)
    return Ranker.from_json(json.loads(fitted.read_text(encoding="utf-8")))


def _over_best(scores: Scores) -> Scores:
    best = scores.max(initial=0.0)
    return np.clip(scores, 0.0, None) / best if best > 0 else np.zeros_like(scores)
