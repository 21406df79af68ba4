import json
import random
from dataclasses import replace

import pytest

from aion_assets.core.answer.confidence import SURE, Calibration, builtin_calibration, lift_to, lifted
from aion_assets.core.learn.calibration import Case, fit_calibration
from aion_assets.core.search.features import FEATURES
from aion_assets.core.search.ranker import CROSSED


def _evidence(level: float, chance: random.Random) -> dict[str, float]:
    shared = chance.gauss(0, 0.2)
    return {name: level + shared + chance.gauss(0, 0.05) for name in FEATURES}


def _cases(language: str, seed: int) -> list[Case]:
    chance = random.Random(seed)
    return [
        Case(_evidence(0.7 if answerable else 0.3, chance), language, answerable)
        for answerable in (True, False)
        for _ in range(400)
    ]


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    return fit_calibration(_cases("pt", 1) + _cases("en", 2), embedder_id="model@1", fitted_on={"sets": ["made up"]})


def test_a_calibration_that_reads_other_evidence_is_refused_when_it_is_loaded(fitted: Calibration) -> None:
    """Not at the first question: an upgrade finds the release of the version before."""
    data = fitted.to_json() | {"features": [*FEATURES[:-1], "moon_phase"]}
    with pytest.raises(ValueError, match="moon_phase"):
        Calibration.from_json(data)


def test_strong_evidence_is_trusted_and_weak_evidence_is_not(fitted: Calibration) -> None:
    assert fitted.confidence(dict.fromkeys(FEATURES, 0.9), "pt") > 0.9
    assert fitted.confidence(dict.fromkeys(FEATURES, 0.1), "pt") < 0.1


def test_nothing_found_is_no_confidence_at_all(fitted: Calibration) -> None:
    assert fitted.confidence({}, "pt") == 0.0


def test_a_language_of_its_own_weighs_the_same_evidence_by_itself() -> None:
    flipped = [Case(case.evidence, "en", not case.answerable) for case in _cases("en", 2)]
    calibration = fit_calibration(_cases("pt", 1) + flipped, embedder_id="m", fitted_on={})
    strong = dict.fromkeys(FEATURES, 0.9)
    assert calibration.confidence(strong, "pt") > 0.9
    assert calibration.confidence(strong, "en") < 0.1
    assert calibration.confidence(strong, "de") == calibration.confidence(strong, "en")


def test_predictions_are_as_often_true_as_they_say(fitted: Calibration) -> None:
    assert sum(point.n for point in fitted.reliability) == 1600
    crowded = [point for point in fitted.reliability if point.n >= 60]
    assert crowded
    for point in crowded:
        assert point.observed == pytest.approx(point.predicted, abs=0.12)


def test_weights_of_cases_move_the_base_rate() -> None:
    cases = _cases("pt", 3)
    for case in cases:
        case.weight = 4.0 if case.answerable else 1.0
    middle = dict.fromkeys(FEATURES, 0.5)
    even = fit_calibration(_cases("pt", 3), embedder_id="m", fitted_on={})
    hopeful = fit_calibration(cases, embedder_id="m", fitted_on={})
    assert hopeful.confidence(middle, "pt") > even.confidence(middle, "pt") + 0.1


def test_a_calibration_survives_its_json_form(fitted: Calibration) -> None:
    again = Calibration.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again.to_json() == fitted.to_json()
    evidence = dict.fromkeys(FEATURES, 0.55)
    assert again.confidence(evidence, "en") == fitted.confidence(evidence, "en")


def test_the_builtin_calibration_says_what_it_was_fitted_on() -> None:
    builtin = builtin_calibration("all-MiniLM-L6-v2@x")
    assert set(builtin.models) == {"pt", "en"}
    assert builtin.features == FEATURES
    assert set(builtin.fitted_on) >= {"sets", "expected_shares", "digest"}
    assert builtin.embedder_id.startswith("all-MiniLM-L6-v2@")


def test_evidence_that_is_alike_but_for_rounding_tells_nothing() -> None:
    chance = random.Random(3)
    cases = []
    for number in range(80):
        evidence = dict.fromkeys(FEATURES, 0.3 + 1e-9 * chance.random())
        cases.append(Case({**evidence, FEATURES[0]: chance.random()}, "en", bool(number % 2)))
    found = fit_calibration(cases, embedder_id="x", fitted_on={})
    assert 0 < found.confidence(dict.fromkeys(FEATURES, 0.3), "en") < 1


def test_only_the_middle_of_the_probabilities_is_lifted_to_the_threshold() -> None:
    points = lift_to(0.62, abstains_below=0.3)
    assert [lifted(value, points) for value in (0.0, 0.3, SURE, 0.9, 1.0)] == pytest.approx([0, 0.62, 0.8, 0.9, 1])
    assert lifted(0.55, points) == pytest.approx(0.71)  # half of the way from .3 to .8 is half of that from .62 to .8
    steps = [lifted(step / 100, points) for step in range(101)]
    assert steps == sorted(steps)
    assert lifted(0.3, lift_to(0.62, abstains_below=0.9)) == pytest.approx(0.3)  # nothing is lowered


def test_a_lift_is_stored_and_a_calibration_of_before_has_none(fitted: Calibration) -> None:
    lifting = replace(fitted, lift=lift_to(0.62, 0.3))
    stored = json.loads(json.dumps(lifting.to_json()))
    assert Calibration.from_json(stored) == lifting
    del stored["lift"]
    assert Calibration.from_json(stored) == fitted
    evidence = _evidence(0.6, random.Random(3))
    plain = fitted.confidence(evidence, "pt")
    assert 0.3 < plain < SURE and lifting.confidence(evidence, "pt") == pytest.approx(lifted(plain, lifting.lift))


def test_what_is_in_another_language_is_judged_by_its_meaning_where_that_says_more(fitted: Calibration) -> None:
    weak = dict.fromkeys(FEATURES, 0.1)
    meaning = replace(fitted.models["pt"], coefficients=(0.0,) * len(FEATURES), intercept=1.5)
    both = replace(fitted, models={**fitted.models, CROSSED: meaning})
    assert both.confidence(weak, "pt") == fitted.confidence(weak, "pt") < 0.5
    assert both.confidence({**weak, CROSSED: 1.0}, "pt") == pytest.approx(0.8176, abs=1e-4)
    strong = dict.fromkeys(FEATURES, 0.9)
    assert both.confidence({**strong, CROSSED: 1.0}, "pt") >= fitted.confidence(strong, "pt")
    assert fitted.confidence({**weak, CROSSED: 1.0}, "pt") == fitted.confidence(weak, "pt")
