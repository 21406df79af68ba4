"""Fit the confidence anew on questions of the installation: shift the model that serves, or fit another.

With few questions only two figures can be learned well, so the model that serves is stretched and moved (Platt 1999).
With more, all coefficients are fitted. Which of the two tells more is seen on questions that neither was fitted on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.answer.confidence import Calibration, Model, sigmoid, standardised
from aion_assets.core.learn.calibration import Case, fit_calibration, reliability_curve

# Of a language with fewer cases of either kind the model stays.
MIN_CASES = 30
# Assumed shares of the questions that people ask: with an answer in the base, and without. They move the point where τ
# cuts, not the order.
PRESENT_SHARE = 0.75
_STEPS = 100
_RIDGE = 1.0


def weighed(cases: Sequence[Case]) -> list[Case]:
    """So that, in each language, cases with an answer have the share PRESENT_SHARE of the weight."""
    counts: dict[tuple[str, bool], int] = {}
    for case in cases:
        counts[case.language, case.answerable] = counts.get((case.language, case.answerable), 0) + 1
    total = {language: counts.get((language, True), 0) + counts.get((language, False), 0) for language, _ in counts}
    shares = {True: PRESENT_SHARE, False: 1 - PRESENT_SHARE}
    return [
        replace(case, weight=shares[case.answerable] * total[case.language] / counts[case.language, case.answerable])
        for case in cases
    ]


def recalibrate(
    serving: Calibration, fit_on: Sequence[Case], choose_on: Sequence[Case], fitted_on: Mapping[str, Any]
) -> Calibration:
    """The calibration that tells most, fitted on all cases; the one that serves where none tells more."""
    fit_on, choose_on = (weighed([case for case in cases if case.evidence]) for cases in (fit_on, choose_on))
    everything = weighed([*fit_on, *choose_on])
    if not choose_on or not _learnable(fit_on):
        return serving
    makers = (_shifted, _refitted)
    losses = [_loss(make(serving, fit_on, fitted_on), choose_on) for make in makers]
    best = int(np.argmin(losses))
    if losses[best] >= _loss(serving, choose_on):
        return serving
    made = makers[best](serving, everything, {**fitted_on, "how": ("shifted", "refitted")[best]})
    predicted = np.array([made.confidence(case.evidence, case.language) for case in everything])
    truth = np.array([float(case.answerable) for case in everything])
    curve = reliability_curve(predicted, truth, np.array([case.weight for case in everything]))
    return replace(made, reliability=curve)


def _learnable(cases: Sequence[Case]) -> list[str]:
    """The languages with enough cases of either kind."""
    return [
        language
        for language in sorted({case.language for case in cases})
        if all(
            sum(case.language == language and case.answerable == kind for case in cases) >= MIN_CASES
            for kind in (True, False)
        )
    ]


def _shifted(serving: Calibration, cases: Sequence[Case], fitted_on: Mapping[str, Any]) -> Calibration:
    """σ(a·z + b) for the log-odds z of the model that serves, which is again such a model."""
    models = dict(serving.models)
    for language in _learnable(cases):
        some = [case for case in cases if case.language == language]
        before = serving.models.get(language) or next(iter(serving.models.values()))
        stretch, move = _platt(before, serving.features, some)
        coefficients = tuple(round(stretch * value, 6) for value in before.coefficients)
        models[language] = replace(
            before, coefficients=coefficients, intercept=round(stretch * before.intercept + move, 6)
        )
    return replace(serving, models=models, fitted_on=fitted_on)


def _platt(model: Model, features: Sequence[str], cases: Sequence[Case]) -> tuple[float, float]:
    raw = np.array([[case.evidence[name] for name in features] for case in cases])
    odds = standardised(raw, model.means, model.scales) @ np.array(model.coefficients) + model.intercept
    truth = np.array([float(case.answerable) for case in cases])
    weights = np.array([case.weight for case in cases])
    columns = np.stack([odds, np.ones(len(odds))], axis=1)
    centre = np.array([1.0, 0.0])
    theta: NDArray[np.float64] = centre.copy()
    for _ in range(_STEPS):
        predicted = sigmoid(columns @ theta)
        gradient = columns.T @ (weights * (predicted - truth)) + _RIDGE * (theta - centre)
        curvature = columns.T @ (columns * (weights * predicted * (1 - predicted))[:, None]) + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        theta = theta - step
        if np.abs(step).max() < 1e-9:
            break
    return max(float(theta[0]), 0.0), float(theta[1])  # never turned round


def _refitted(serving: Calibration, cases: Sequence[Case], fitted_on: Mapping[str, Any]) -> Calibration:
    languages = _learnable(cases)
    some = [case for case in cases if case.language in languages]
    fitted = fit_calibration(some, embedder_id=serving.embedder_id, fitted_on=fitted_on, features=serving.features)
    return replace(fitted, models={**serving.models, **fitted.models}, lift=serving.lift)


def _loss(calibration: Calibration, cases: Sequence[Case]) -> float:
    """Weighted log-loss."""
    said = np.array([calibration.confidence(case.evidence, case.language) for case in cases])
    said = np.clip(said, 1e-6, 1 - 1e-6)
    truth = np.array([case.answerable for case in cases])
    weights = np.array([case.weight for case in cases])
    return float((weights * -np.log(np.where(truth, said, 1 - said))).sum() / weights.sum())
