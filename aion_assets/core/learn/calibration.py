"""Fit the confidence of answers on labelled questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.answer.confidence import Bin, Calibration, Model, sigmoid, standardised
from aion_assets.core.search.features import FEATURES

_BINS = 10
# Anything between 1 and 100 ranks questions of unseen sets alike.
_RIDGE = 20.0
_STEPS = 50
# What varies less does not vary: it is rounding, and would itself be rounded to a scale of 0.
_LEAST_SCALE = 1e-6


@dataclass(slots=True)
class Case:
    """A question whose answer is in the index, or is not. `weight`: how often such questions are expected."""

    evidence: Mapping[str, float]
    language: str
    answerable: bool
    weight: float = 1.0


def fit_calibration(
    cases: Sequence[Case], *, embedder_id: str, fitted_on: Mapping[str, Any], features: Sequence[str] = FEATURES
) -> Calibration:
    """Fit a model over `features` for every language among the cases. Cases without evidence are left out: they need no
    model.
    """
    judged = [case for case in cases if case.evidence]
    models: dict[str, Model] = {}
    predicted, truth, weights = np.zeros(len(judged)), np.zeros(len(judged)), np.zeros(len(judged))
    for language in sorted({case.language for case in judged}):
        rows = [index for index, case in enumerate(judged) if case.language == language]
        raw = np.array([[judged[index].evidence[name] for name in features] for index in rows])
        truth[rows] = [judged[index].answerable for index in rows]
        weights[rows] = [judged[index].weight for index in rows]
        models[language] = _fit(raw, truth[rows], weights[rows])
        predicted[rows] = models[language].predict(raw)
    return Calibration(embedder_id, tuple(features), models, reliability_curve(predicted, truth, weights), fitted_on)


def _fit(raw: NDArray[np.float64], truth: NDArray[np.float64], weights: NDArray[np.float64]) -> Model:
    """Ridge logistic regression by Newton's method."""
    means = np.average(raw, axis=0, weights=weights)
    scales = np.sqrt(np.average((raw - means) ** 2, axis=0, weights=weights))
    scales[scales < _LEAST_SCALE] = 1.0
    columns = np.hstack([standardised(raw, means, scales), np.ones((len(raw), 1))])
    penalty = np.diag([_RIDGE] * raw.shape[1] + [1e-9])
    theta = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        predicted = sigmoid(columns @ theta)
        gradient = columns.T @ (weights * (predicted - truth)) + penalty @ theta
        curvature = columns.T @ (columns * (weights * predicted * (1 - predicted))[:, None]) + penalty
        step = np.linalg.solve(curvature, gradient)
        theta -= step
        if np.abs(step).max() < 1e-8:
            break
    return Model(_plain(means), _plain(scales), _plain(theta[:-1]), round(float(theta[-1]), 6))


def reliability_curve(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[Bin, ...]:
    """One bin for each of ten equal intervals of the prediction that holds a question."""
    place = np.minimum((predicted * _BINS).astype(int), _BINS - 1)
    curve = []
    for index in range(_BINS):
        inside = place == index
        if inside.any():
            mean, share = (float(np.average(values[inside], weights=weights[inside])) for values in (predicted, truth))
            curve.append(Bin(round(mean, 4), round(share, 4), int(inside.sum())))
    return tuple(curve)


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
