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

FEATURES = (
    "top_cosine",
    "mean_cosine",
    "cosine_gap",
    "best_cosine",
    "lexical_top",
    "lexical_gap",
    "agreement",
    "passage_coverage",
    "best_passage_coverage",
    "sentence_coverage",
    "question_terms",
)
# Standard deviations beyond which evidence counts no more: no single feature of an odd corpus may decide alone.
_LIMIT = 3.0
_BINS = 10
_RIDGE = 1.0
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Bin:
    """One point of the reliability curve: what was predicted on average, what was true, of how many."""

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic model over standardised features. `fitted_on` says on what: sets, counts, digest."""

    embedder_id: str
    features: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    reliability: tuple[Bin, ...]
    fitted_on: Mapping[str, Any]

    def confidence(self, evidence: Mapping[str, float]) -> float:
        """In [0, 1]; 0 when nothing was found."""
        if not evidence:
            return 0.0
        raw = np.array([[evidence[name] for name in self.features]])
        return float(_sigmoid(self._standardised(raw) @ np.array(self.coefficients) + self.intercept)[0])

    def _standardised(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip((raw - np.array(self.means)) / np.array(self.scales), -_LIMIT, _LIMIT)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Calibration":
        sequences = {name: tuple(data[name]) for name in ("features", "means", "scales", "coefficients")}
        return cls(
            embedder_id=data["embedder_id"],
            intercept=data["intercept"],
            reliability=tuple(Bin(**item) for item in data["reliability"]),
            fitted_on=dict(data["fitted_on"]),
            **sequences,
        )


@cache
def builtin_calibration() -> Calibration:
    """Made by `bench/fit_confidence.py`; holds until a release is calibrated on its own labelled questions."""
    text = files("aion_assets.core").joinpath("builtin_calibration.json").read_text(encoding="utf-8")
    return Calibration.from_json(json.loads(text))


def fit_calibration(
    evidence: Sequence[Mapping[str, float]],
    answerable: Sequence[bool],
    weights: Sequence[float],
    *,
    embedder_id: str,
    fitted_on: Mapping[str, Any],
    features: Sequence[str] = FEATURES,
) -> Calibration:
    """Ridge logistic regression by Newton's method; `weights` are those of the rows (they decide the base rate)."""
    raw = np.array([[item[name] for name in features] for item in evidence], dtype=np.float64)
    truth = np.asarray(answerable, dtype=np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    means = np.average(raw, axis=0, weights=weight)
    scales = np.sqrt(np.average((raw - means) ** 2, axis=0, weights=weight))
    scales[scales == 0] = 1.0
    columns = np.hstack([np.clip((raw - means) / scales, -_LIMIT, _LIMIT), np.ones((len(raw), 1))])
    penalty = np.diag([_RIDGE] * len(features) + [0.0])
    theta = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        predicted = _sigmoid(columns @ theta)
        gradient = columns.T @ (weight * (predicted - truth)) + penalty @ theta
        curvature = columns.T @ (columns * (weight * predicted * (1 - predicted))[:, None]) + penalty
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(theta)), gradient)
        theta -= step
        if np.abs(step).max() < 1e-8:
            break
    return Calibration(
        embedder_id=embedder_id,
        features=tuple(features),
        means=_plain(means),
        scales=_plain(scales),
        coefficients=_plain(theta[:-1]),
        intercept=round(float(theta[-1]), 6),
        reliability=reliability_curve(_sigmoid(columns @ theta), truth, weight),
        fitted_on=fitted_on,
    )


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
