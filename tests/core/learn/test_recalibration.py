"""The confidence is fitted anew only where questions that were not fitted on find it truer."""

import numpy as np
import pytest

from aion_assets.core.answer.confidence import Calibration, Model, sigmoid
from aion_assets.core.learn.calibration import Case
from aion_assets.core.learn.measured import expected_calibration_error
from aion_assets.core.learn.recalibration import MIN_CASES, PRESENT_SHARE, recalibrate, weighed
from aion_assets.core.search.features import FEATURES

_SIZE = len(FEATURES)


def _calibration(slope: float, move: float) -> Calibration:
    model = Model((0.0,) * _SIZE, (1.0,) * _SIZE, (slope, *(0.0,) * (_SIZE - 1)), move)
    return Calibration("e@1", FEATURES, {"pt": model}, (), {})


def _cases(count: int, seed: int, feature: int = 0, language: str = "pt") -> list[Case]:
    """Whether there is an answer follows one feature by σ(2·x)."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        values = chance.normal(size=_SIZE)
        evidence = dict(zip(FEATURES, map(float, values), strict=True))
        found.append(Case(evidence, language, bool(chance.random() < sigmoid(2 * values[feature]))))
    return found


def _error(calibration: Calibration, cases: list[Case]) -> float:
    said = [(calibration.confidence(case.evidence, case.language), case.answerable) for case in cases]
    return expected_calibration_error([value for value, true in said if true], [v for v, true in said if not true])


def test_a_confidence_that_says_too_little_is_moved_up() -> None:
    serving = _calibration(2.0, -3.0)
    found = recalibrate(serving, _cases(80, 1), _cases(200, 2), {"golden": 1})
    fresh = _cases(2_000, 3)
    assert _error(found, fresh) < _error(serving, fresh) / 2
    assert found.reliability and found.fitted_on["golden"] == 1


def test_with_many_questions_evidence_that_the_model_did_not_weigh_is_learned() -> None:
    serving = _calibration(2.0, 0.0)
    found = recalibrate(serving, _cases(900, 1, feature=3), _cases(300, 2, feature=3), {})
    assert found.fitted_on["how"] == "refitted"
    assert found.models["pt"].coefficients[3] > 3 * abs(found.models["pt"].coefficients[0])


def test_one_that_tells_the_truth_already_stays() -> None:
    serving = _calibration(2.0, float(np.log(PRESENT_SHARE / (1 - PRESENT_SHARE))))
    found = [recalibrate(serving, _cases(200, seed), _cases(4_000, 50 + seed), {}) for seed in range(5)]
    fresh = _cases(4_000, 99)
    assert all(_error(item, fresh) < _error(serving, fresh) + 0.03 for item in found)


@pytest.mark.parametrize("counts", [(MIN_CASES, 60), (60, 0)])
def test_with_too_few_questions_it_stays(counts: tuple[int, int]) -> None:
    serving = _calibration(2.0, -3.0)
    assert recalibrate(serving, _cases(counts[0], 1), _cases(counts[1], 2), {}) is serving


def test_a_language_without_questions_keeps_its_model() -> None:
    serving = _calibration(2.0, -3.0)
    other = Calibration("e@1", FEATURES, {**serving.models, "en": serving.models["pt"]}, (), {})
    found = recalibrate(other, _cases(90, 1), _cases(90, 2), {})
    assert found.models["en"] == other.models["en"] and found.models["pt"] != other.models["pt"]


def test_cases_weigh_as_such_questions_are_asked() -> None:
    cases = weighed([*_cases(40, 1), *_cases(40, 2)])
    present = sum(case.weight for case in cases if case.answerable)
    assert present / sum(case.weight for case in cases) == pytest.approx(PRESENT_SHARE)
