"""How true a probability is, judged on sets that had no part in it."""

import random
from dataclasses import replace

import pytest

from aion_assets.core.answer.evidence import EVIDENCE
from bench.fit_answer_confidence import Asked
from bench.reliability import Judged, calibration_error, judged_without

LEVELS = {"answerable": 0.7, "absent": 0.3, "off_topic": 0.1}


def _asked(seed: int) -> list[Asked]:
    chance = random.Random(seed)
    return [
        Asked(kind, {name: level + chance.gauss(0, 0.1) for name in EVIDENCE}, "pt", kind == "answerable")
        for kind, level in LEVELS.items()
        for _ in range(40)
    ]


def test_the_error_is_the_mean_distance_of_what_is_said_and_what_is_true() -> None:
    cases = [Judged(0.9, True, 9.0), Judged(0.9, False, 1.0), Judged(0.2, False, 10.0)]
    assert calibration_error(cases) == pytest.approx(0.5 * 0.0 + 0.5 * 0.2)


def test_what_is_said_of_a_set_does_not_depend_on_its_truth() -> None:
    sets = {"one": _asked(1), "other": _asked(2)}
    turned = {**sets, "one": [replace(case, right=False) for case in sets["one"]]}
    said, other = ([case.said for case in judged_without("one", some)] for some in (sets, turned))
    assert said == other and len(said) == 120
    assert calibration_error(judged_without("one", sets)) < 0.2 < calibration_error(judged_without("one", turned))
