"""Calibrated confidence that an answer is right: that the passages hold it, and, where the quotes were fitted on, too,
that the first one does.

The cosine alone does not separate answerable questions from others. The evidence of the passages and of the quotes
does, weighed by a logistic model that is fitted on labelled questions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.answer.evidence import EVIDENCE
from aion_assets.core.answer.quotes import LACKING
from aion_assets.core.search.ranker import CROSSED

# An answer that is shown with at least so much is right at least so often; below it, a person should look.
SURE = 0.8
# Of an answer that lacks what the question wants told, which is almost never right.
_SHARE_WHERE_LACKING = 0.5
# Evidence is clipped at so many standard deviations, so that no single feature of an odd corpus decides alone.
_LIMIT = 3.0
_OF_MINILM, OF_E5 = "builtin_calibration.json", "builtin_calibration_e5.json"
# From the passages alone: what `bench.fit_answer_confidence` makes the other of.
PAGES_OF_E5 = "page_calibration_e5.json"


@dataclass(frozen=True, slots=True)
class Bin:
    """One point of the reliability curve: mean prediction, share that was true, number of cases."""

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over standardised features, in the order of the calibration's."""

    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def predict(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, features) → (n,) probabilities."""
        return sigmoid(standardised(raw, self.means, self.scales) @ np.array(self.coefficients) + self.intercept)


@dataclass(frozen=True, slots=True)
class Calibration:
    """One model per language of the question: an embedder's cosines say much in the languages it knows and nothing in
    others. `fitted_on` names sets, counts and digest. `lift` are points of `lifted`; without them a confidence is the
    probability of the model.
    """

    embedder_id: str
    features: tuple[str, ...]
    models: Mapping[str, Model]
    reliability: tuple[Bin, ...]
    fitted_on: Mapping[str, Any]
    lift: tuple[tuple[float, float], ...] = ()

    def confidence(self, evidence: Mapping[str, float], language: str) -> float:
        """In [0, 1]; 0 when nothing was found. A language without a model uses the first one. Where the best passage is
        in another language than the question, what its meaning alone says counts, if it is more.
        """
        if not evidence:
            return 0.0
        raw = np.array([[evidence[name] for name in self.features]])
        model = self.models.get(language) or next(iter(self.models.values()))
        probability = float(model.predict(raw)[0])
        if evidence.get(CROSSED) and CROSSED in self.models:
            probability = max(probability, float(self.models[CROSSED].predict(raw)[0]))
        return lifted(probability, self.lift) * (_SHARE_WHERE_LACKING if evidence.get(LACKING) else 1.0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Calibration":
        """Raises KeyError or ValueError: the JSON has another form, or names evidence that is not gathered."""
        if unknown := set(data["features"]) - set(EVIDENCE):
            raise ValueError(f"Nobody takes the evidence {', '.join(sorted(unknown))}.")
        return cls(
            embedder_id=data["embedder_id"],
            features=tuple(data["features"]),
            models={
                language: Model(
                    tuple(model["means"]), tuple(model["scales"]), tuple(model["coefficients"]), model["intercept"]
                )
                for language, model in data["models"].items()
            },
            reliability=tuple(Bin(**item) for item in data["reliability"]),
            fitted_on=dict(data["fitted_on"]),
            lift=tuple((float(before), float(after)) for before, after in data.get("lift", ())),
        )


def lift_to(tau: float, abstains_below: float) -> tuple[tuple[float, float], ...]:
    """The points (0, 0), (`abstains_below`, τ), (SURE, SURE), (1, 1) of `lifted`.

    Few first quotes are certain, so a threshold τ on their probability would leave many answerable questions without an
    answer. The probability at which to abstain is therefore taken to τ, and what lies between it and SURE to between τ
    and SURE. From SURE on a confidence is the probability itself.
    """
    below = min(abstains_below, tau)
    return (0.0, 0.0), (below, tau), (SURE, SURE), (1.0, 1.0)


def lifted(probability: float, points: Sequence[tuple[float, float]]) -> float:
    """C of a probability p: for neighbouring points (p₁, C₁) and (p₂, C₂), C = C₁ + (C₂ − C₁)(p − p₁)/(p₂ − p₁)."""
    if not points:
        return probability
    before, after = zip(*points, strict=True)
    return float(np.interp(probability, before, after))


@cache
def builtin_calibration(embedder_id: str) -> Calibration:
    """What `bench/fit_confidence.py` wrote (docs/experiments.md, calibration). The default of a release.

    An embedder of which nothing was fitted is judged as MiniLM is.
    """
    folder = files("aion_assets.core.answer")
    fitted = folder.joinpath(builtin_file(embedder_id))
    found = fitted if fitted.is_file() else folder.joinpath(_OF_MINILM)
    return Calibration.from_json(json.loads(found.read_text(encoding="utf-8")))


def builtin_file(embedder_id: str) -> str:
    """Where the calibration of an embedder stands or would stand, beside this module."""
    return OF_E5 if "e5" in embedder_id.lower() else _OF_MINILM


def standardised(
    raw: NDArray[np.float64],
    means: Sequence[float] | NDArray[np.float64],
    scales: Sequence[float] | NDArray[np.float64],
) -> NDArray[np.float64]:
    return np.clip((raw - np.asarray(means)) / np.asarray(scales), -_LIMIT, _LIMIT)


def sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -40, 40)))
