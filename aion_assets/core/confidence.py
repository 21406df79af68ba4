"""Calibrated confidence: how likely it is that the passages found hold the answer.

A cosine of .62 admits every question, answerable or not; what decides is the evidence of `search.features`, weighed
by a logistic model that was fitted on labelled questions.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.search.features import FEATURES

# Standard deviations beyond which evidence counts no more: no single feature of an odd corpus may decide alone.
_LIMIT = 3.0
_BINS = 10
# Measured on sets left out: between 1 and 100 nothing changes by more than .003 AUROC.
_RIDGE = 20.0
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Bin:
    """One point of the reliability curve: what was predicted on average, what was true, of how many."""

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over standardised features, in the order of FEATURES."""

    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def predict(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, features) → (n,) probabilities."""
        return _sigmoid(_standardised(raw, self.means, self.scales) @ np.array(self.coefficients) + self.intercept)


@dataclass(frozen=True, slots=True)
class Calibration:
    """One model per language of the question, because an embedder's cosines tell much in the languages it knows and
    nothing in others. `fitted_on` says on what: sets, counts, digest."""

    embedder_id: str
    features: tuple[str, ...]
    models: Mapping[str, Model]
    reliability: tuple[Bin, ...]
    fitted_on: Mapping[str, Any]

    def confidence(self, evidence: Mapping[str, float], language: str) -> float:
        """In [0, 1]; 0 when nothing was found. A language without a model is judged by the first."""
        if not evidence:
            return 0.0
        model = self.models.get(language) or next(iter(self.models.values()))
        return float(model.predict(np.array([[evidence[name] for name in self.features]]))[0])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Calibration":
        """Raises KeyError or ValueError: it is of another form, or reads evidence that is not taken any more."""
        if unknown := set(data["features"]) - set(FEATURES):
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
        )


@dataclass(slots=True)
class Case:
    """A question whose answer is, or is not, in the index. `weight` tells how often such a question is expected."""

    evidence: Mapping[str, float]
    language: str
    answerable: bool
    weight: float = 1.0


@cache
def builtin_calibration() -> Calibration:
    """Made by `bench/fit_confidence.py`; holds until a release is calibrated on its own labelled questions."""
    text = files("aion_assets.core").joinpath("builtin_calibration.json").read_text(encoding="utf-8")
    return Calibration.from_json(json.loads(text))


def fit_calibration(cases: Sequence[Case], *, embedder_id: str, fitted_on: Mapping[str, Any]) -> Calibration:
    """A model for every language among the cases; those without any evidence need no model to be refused."""
    judged = [case for case in cases if case.evidence]
    models: dict[str, Model] = {}
    predicted, truth, weights = np.zeros(len(judged)), np.zeros(len(judged)), np.zeros(len(judged))
    for language in sorted({case.language for case in judged}):
        rows = [index for index, case in enumerate(judged) if case.language == language]
        raw = np.array([[judged[index].evidence[name] for name in FEATURES] for index in rows])
        truth[rows] = [judged[index].answerable for index in rows]
        weights[rows] = [judged[index].weight for index in rows]
        models[language] = _fit(raw, truth[rows], weights[rows])
        predicted[rows] = models[language].predict(raw)
    return Calibration(embedder_id, FEATURES, models, reliability_curve(predicted, truth, weights), fitted_on)


def _fit(raw: NDArray[np.float64], truth: NDArray[np.float64], weights: NDArray[np.float64]) -> Model:
    """Ridge logistic regression by Newton's method."""
    means = np.average(raw, axis=0, weights=weights)
    scales = np.sqrt(np.average((raw - means) ** 2, axis=0, weights=weights))
    scales[scales == 0] = 1.0
    columns = np.hstack([_standardised(raw, means, scales), np.ones((len(raw), 1))])
    penalty = np.diag([_RIDGE] * raw.shape[1] + [1e-9])
    theta = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        predicted = _sigmoid(columns @ theta)
        gradient = columns.T @ (weights * (predicted - truth)) + penalty @ theta
        curvature = columns.T @ (columns * (weights * predicted * (1 - predicted))[:, None]) + penalty
        step = np.linalg.solve(curvature, gradient)
        theta -= step
        if np.abs(step).max() < 1e-8:
            break
    return Model(_plain(means), _plain(scales), _plain(theta[:-1]), round(float(theta[-1]), 6))


def _standardised(
    raw: NDArray[np.float64],
    means: Sequence[float] | NDArray[np.float64],
    scales: Sequence[float] | NDArray[np.float64],
) -> NDArray[np.float64]:
    return np.clip((raw - np.asarray(means)) / np.asarray(scales), -_LIMIT, _LIMIT)


def reliability_curve(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[Bin, ...]:
    """Of ten equal intervals of the prediction, those that hold any question."""
    place = np.minimum((predicted * _BINS).astype(int), _BINS - 1)
    curve = []
    for index in range(_BINS):
        inside = place == index
        if inside.any():
            mean, share = (float(np.average(values[inside], weights=weights[inside])) for values in (predicted, truth))
            curve.append(Bin(round(mean, 4), round(share, 4), int(inside.sum())))
    return tuple(curve)


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -40, 40)))


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
