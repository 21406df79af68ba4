"""Which of the texts that can be quoted a person would mark: linear models that labelled questions taught."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from aion_assets.core.answer.sentence_features import QUOTE_FEATURES, WORD_FEATURES, Values

BUILTIN_QUOTES = "builtin_quotes.json"


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """Log-odds, up to a constant of the question, that a text is the one to quote: `weights` of `features`, added."""

    features: tuple[str, ...]
    weights: tuple[float, ...]

    def scores(self, values: Values) -> Values:
        """(n,) of (n, features)."""
        scores: Values = values @ np.array(self.weights)
        return scores

    @classmethod
    def from_json(cls, data: Mapping[str, float], features: tuple[str, ...]) -> "SentenceModel":
        """Raises ValueError: it weighs other features."""
        if {*data} != {*features}:
            raise ValueError(f"The model weighs {', '.join(data)}, not {', '.join(features)}. Fit it again.")
        return cls(features, tuple(float(data[name]) for name in features))


@dataclass(frozen=True, slots=True)
class SentenceModels:
    """`words` chooses by words alone; `meaning` chooses among its best, where cosines of sentences tell something."""

    words: SentenceModel
    meaning: SentenceModel
    fitted_on: Mapping[str, Any]


@cache
def builtin_models() -> SentenceModels:
    """What `bench/fit_quotes.py` wrote (docs/experiments.md, quotes)."""
    text = files("aion_assets.core.answer").joinpath(BUILTIN_QUOTES).read_text(encoding="utf-8")
    data = json.loads(text)
    return SentenceModels(
        SentenceModel.from_json(data["words"], WORD_FEATURES),
        SentenceModel.from_json(data["meaning"], QUOTE_FEATURES),
        data["fitted_on"],
    )


def knows_sentences(embedder_id: str) -> bool:
    """Whether the model with cosines was fitted on this embedder."""
    return "e5" in embedder_id.lower()
