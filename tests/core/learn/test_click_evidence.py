"""Clicks that follow what is written are told from those that follow the place, or go against it."""

import random
from collections.abc import Iterator

import pytest
from learning_base import GOLDEN, RULES, LearningBase, learning_base

from aion_assets.core.learn.click_evidence import Choice, ClickEvidence, click_evidence, recorded_evidence
from aion_assets.core.record.feedback import record_click
from aion_assets.core.settings import Settings

READS, ANYTHING, AGAINST = 1.0, 0.0, -1.0


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        yield made


def _clicks(count: int, reader: float, seed: int = 0) -> list[Choice]:
    """Three places, of which the n-th is looked at by one in n; what is looked at is weighed by how it reads."""
    chance, found = random.Random(seed), []
    while len(found) < count:
        scores = sorted((chance.uniform(0.3, 0.9) for _ in range(3)), reverse=True)
        seen = [place for place in range(3) if chance.random() < 1 / (place + 1)]
        weights = [2.718 ** (reader * 4 * scores[place]) for place in seen]
        signals = [{"score": score, "dense": 0.8, "lexical": chance.random(), "reading": score / 2} for score in scores]
        found.append(Choice(signals, chance.choices(seen, weights)[0]))
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("reader", "doubted"), [(READS, False), (ANYTHING, True), (AGAINST, True)])
def test_clicks_are_believed_when_they_follow_the_texts(reader: float, doubted: bool, seed: int) -> None:
    evidence = click_evidence(_clicks(3_000, reader, seed))
    assert bool(evidence.doubt) is doubted, evidence
    assert evidence.clicks == 3_000 and set(evidence.gains) == {"score", "lexical", "reading"}
    assert all(low < gain < high for gain, low, high in evidence.gains.values())


def test_a_habit_of_clicking_what_stands_last_is_no_doubt_about_those_who_read() -> None:
    """Whatever the place does to clicks is taken out."""
    turned = [Choice(choice.signals[::-1], 2 - choice.clicked) for choice in _clicks(3_000, READS)]
    assert not click_evidence(turned).doubt


def test_what_goes_against_the_texts_is_told_from_what_does_not_read() -> None:
    assert "go against" in click_evidence(_clicks(3_000, AGAINST)).says
    assert "follow the place" in click_evidence(_clicks(3_000, ANYTHING)).says
    assert "follow what the texts say" in click_evidence(_clicks(3_000, READS)).says


def test_few_clicks_are_neither_believed_nor_doubted() -> None:
    for evidence in (
        click_evidence(_clicks(60, AGAINST)),
        click_evidence([]),
        ClickEvidence(200, {"score": (0.4, -0.6, 1.4)}),
    ):
        assert not evidence.doubt and "too few" in evidence.says


def test_clicks_that_know_better_than_the_order_are_believed() -> None:
    """The order that serves goes by what misleads; the clicks follow the words."""
    turned = [
        Choice([{**signals, "score": 1 - signals["score"], "reading": 0.5, "lexical": signals["score"]}
                for signals in choice.signals], choice.clicked)
        for choice in _clicks(3_000, READS)
    ]  # fmt: skip
    evidence = click_evidence(turned)
    assert evidence.is_believed and evidence.gains["score"][2] < 0 and "lexical" in evidence.says


def test_an_answer_with_one_source_tells_nothing() -> None:
    one = {"score": 0.9, "dense": 0.9, "lexical": 2.0, "reading": 0.4}
    assert click_evidence([Choice([one], 0)] * 300) == ClickEvidence(0)
    assert not click_evidence([Choice([one, one], 0)] * 300).doubt


def test_the_first_click_on_each_answer_is_read_from_the_record(base: LearningBase) -> None:
    base.serve_vectors_alone()
    told = 0
    for number in range(GOLDEN, RULES):
        answer = base.ask(number)
        shown = answer.citations or answer.nearest
        record_click(base.home, answer.answer_id, shown[-1].number)
        record_click(base.home, answer.answer_id, shown[0].number)
        told += len(shown) > 1
    evidence = recorded_evidence(base.home)
    assert told and evidence.clicks == told and "dense" in evidence.gains
