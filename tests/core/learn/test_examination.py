"""Chance swaps neighbours with the recorded propensity, and what people click then tells how places are seen."""

import random
from collections import Counter

import pytest
from passages import hit

from aion_assets.core.answer.citations import cite, where_passages_begin
from aion_assets.core.answer.extractive import EXTRACTIVE, Answer
from aion_assets.core.answer.quotes import Quote
from aion_assets.core.answer.swapping import Swaps
from aion_assets.core.learn.examination import Examination, ShownPlace, examination

HITS = [hit(name, text=f"A regra {name} vale.", score=1.0) for name in "abc"]
QUOTES = [Quote(item, item.text, 1.0) for item in HITS]
ANSWER = Answer(EXTRACTIVE, 0.9, 0.62, "pt", cite(QUOTES, where_passages_begin(QUOTES)))
SHARE = 0.3


def names(answer: Answer) -> str:
    return "".join(item.passage.chunk_id for item in answer.citations)


def test_each_order_comes_as_often_as_its_propensity_says() -> None:
    drawn, swaps = Counter[str](), Swaps(SHARE, random.Random(7).random)
    said: dict[tuple[str, int], float] = {}
    for _ in range(4_000):
        shown = swaps.among(ANSWER, HITS)
        drawn[names(shown)] += 1
        assert [item.number for item in shown.citations] == [1, 2, 3]
        said |= {(item.passage.chunk_id, item.number): item.propensity for item in shown.citations}
    assert set(drawn) == {"abc", "bac", "acb"}
    for (name, number), propensity in said.items():
        often = sum(count for order, count in drawn.items() if order[number - 1] == name) / 4_000
        assert often == pytest.approx(propensity, abs=0.03)


def test_without_a_share_and_in_the_text_of_a_model_nothing_moves() -> None:
    assert Swaps(0.0).among(ANSWER, HITS).citations == ANSWER.citations
    written = Answer("generative", 0.9, 0.62, "pt", ANSWER.citations, written="A [1]. B [2].")
    assert Swaps(0.3, lambda: 0.0).among(written, HITS) == written
    swapped = Swaps(0.3, lambda: 0.0).among(ANSWER, HITS)
    assert swapped.text.startswith("“A regra b vale.” [1]"), "the text shows the order that people see"


def people(looked_at: list[float], worth: list[float], count: int, share: float = SHARE) -> list[list[ShownPlace]]:
    """Answers of three sources, whose readers look at places and click what is worth it (the position-based model)."""
    chance = random.Random(3)
    swaps, found = Swaps(share, chance.random), []
    for _ in range(count):
        shown = swaps.among(ANSWER, HITS).citations
        found.append(
            [
                ShownPlace(
                    item.number,
                    item.propensity,
                    chance.random() < looked_at[item.number - 1] * worth["abc".index(item.passage.chunk_id)],
                )
                for item in shown
            ]
        )
    return found


def test_swaps_measure_how_places_are_looked_at() -> None:
    measured = examination(people([1.0, 0.3, 0.2], [0.2, 0.9, 0.5], 20_000))
    assert measured.at(1) == 1.0
    assert measured.at(2) == pytest.approx(0.3, abs=0.05)
    assert measured.at(3) == pytest.approx(0.2, abs=0.06)
    few = examination(people([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], 10))
    assert few.at(2) == pytest.approx(0.5, abs=0.1), "a few answers hardly move the prior"
    assert examination([]).at(4) == 0.25


def test_weighed_clicks_tell_worth_whatever_the_place() -> None:
    looked_at, worth = [1.0, 0.4, 0.25], [0.3, 0.6, 0.6]
    answers = people(looked_at, worth, 20_000)
    known, weighed = Examination(tuple(looked_at)), Counter[int]()
    for answer in answers:
        swapped = sorted(item.number for item in answer if item.propensity < 0.5)
        natural = {item.number: item.number for item in answer} | dict(zip(swapped, swapped[::-1], strict=True))
        for item in answer:
            weighed[natural[item.number]] += item.clicked * known.weight(item.number, answer)
    for place, wanted in enumerate(worth, start=1):
        assert weighed[place] / len(answers) == pytest.approx(wanted, abs=0.03)


def test_a_click_on_a_swapped_source_counts_for_its_own_place_not_for_many() -> None:
    answer = [ShownPlace(1, 0.015), ShownPlace(2, 0.015), ShownPlace(3, 0.985)]
    unswapped = [ShownPlace(1, 0.985), ShownPlace(2, 0.97), ShownPlace(3, 0.985)]
    known = Examination((1.0, 0.5, 1 / 3))
    assert known.weight(1, answer) == pytest.approx(known.weight(2, unswapped))
    assert known.weight(2, [ShownPlace(1, 1.0), ShownPlace(2, 1.0)]) == 2.0
