"""The confidence of an answer: what the passages tell, stretched, and what the quote tells."""

import random

import pytest

from aion_assets.core.answer.confidence import SURE, Calibration, Model
from aion_assets.core.answer.evidence import EVIDENCE
from aion_assets.core.learn.metrics import auroc
from aion_assets.core.search.features import FEATURES
from bench.fit_answer_confidence import Asked, fitted

COUNT = len(FEATURES)
PASSAGES = Calibration(
    "e5", FEATURES, {"pt": Model((0.5,) * COUNT, (0.2,) * COUNT, (0.3,) * COUNT, 0.0)}, (), {"sets": {}}
)


def _asked(seed: int) -> list[Asked]:
    """Passages tell whether there is an answer; only the margin of the quote tells whether it is the right one."""
    chance, found = random.Random(seed), []
    for kind, level in (("answerable", 0.7), ("absent", 0.3), ("off_topic", 0.1)):
        for _ in range(300):
            right = kind == "answerable" and chance.random() < 0.7
            evidence = {name: level + chance.gauss(0, 0.1) for name in EVIDENCE}
            found.append(
                Asked(kind, evidence | {"quote_margin": chance.gauss(2.0 if right else 0.5, 0.7)}, "pt", right)
            )
    return found


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return fitted(PASSAGES, {"one": _asked(1), "other": _asked(2)}, {"sets": {}})


def _said(calibration: Calibration, asked: list[Asked], **marks: object) -> list[float]:
    chosen = [one for one in asked if all(getattr(one, name) == value for name, value in marks.items())]
    return [calibration.confidence(one.evidence, one.language) for one in chosen]


def test_right_quotes_are_told_from_wrong_ones_and_present_answers_from_absent_ones(calibration: Calibration) -> None:
    unseen = _asked(3)
    answers = {right: _said(calibration, unseen, kind="answerable", right=right) for right in (True, False)}
    by_passages = {right: _said(PASSAGES, unseen, kind="answerable", right=right) for right in (True, False)}
    assert auroc(answers[True], answers[False]) > 0.85 > 0.6 > auroc(by_passages[True], by_passages[False])
    assert auroc([*answers[True], *answers[False]], _said(calibration, unseen, kind="off_topic")) > 0.95


def test_the_threshold_leaves_few_answerable_questions_without_an_answer(calibration: Calibration) -> None:
    said = _said(calibration, _asked(4), kind="answerable")
    assert sum(value < 0.62 for value in said) / len(said) == pytest.approx(0.08, abs=0.05)


def test_it_is_stored_and_read_as_any_calibration(calibration: Calibration) -> None:
    assert calibration.features == EVIDENCE
    assert Calibration.from_json(calibration.to_json()) == calibration


def test_what_is_shown_as_sure_is_right_as_often_as_it_says(calibration: Calibration) -> None:
    unseen = _asked(5)
    sure = [one.right for one in unseen if calibration.confidence(one.evidence, one.language) >= SURE]
    assert len(sure) > 50 and sum(sure) / len(sure) >= SURE
    assert calibration.lift[1][1] == 0.62 and calibration.lift[1][0] < 0.62
