"""Readers decide between the ranker that serves and the one before it, and the loser is taken back."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from learning_base import GOLDEN, LearningBase, learning_base, question
from passages import hit

from aion_assets.core.answer.citations import cite, where_passages_begin
from aion_assets.core.answer.extractive import ABSTENTION, EXTRACTIVE, Answer
from aion_assets.core.answer.interleaving import NEW, OLD, interleave
from aion_assets.core.answer.quotes import Quote
from aion_assets.core.learn.live_comparison import Comparison, compare_live
from aion_assets.core.learn.regression import find_regression
from aion_assets.core.record.feedback import record_click
from aion_assets.core.release.releases import current_release
from aion_assets.core.search.ranker import halves_only
from aion_assets.core.settings import Settings
from aion_serving.answering.assistant import Assistant

HITS = {name: hit(name, text=f"A regra {name} vale.", score=1.0) for name in "abcd"}


def answer(order: str, used: str = EXTRACTIVE) -> Answer:
    quotes = [Quote(HITS[name], HITS[name].text, 1.0) for name in order]
    shown = cite(quotes, where_passages_begin(quotes))
    return Answer(used, 0.9, 0.62, "pt", **({"citations": shown} if used == EXTRACTIVE else {"nearest": shown}))


def names(found: Answer) -> str:
    return "".join(item.passage.chunk_id for item in found.citations or found.nearest)


def test_both_pick_their_best_in_turn_and_each_is_first_as_often() -> None:
    chance, first, orders = random.Random(5).random, Counter[str](), Counter[str]()
    for _ in range(2_000):
        found = interleave(answer("abc"), answer("bda"), "before", [*HITS.values()], chance)
        assert found.interleaved is not None
        teams = found.interleaved.teams
        assert list(teams) == [1, 2, 3] == [item.number for item in found.citations]
        assert abs(sum((team == NEW) - (team == OLD) for team in teams.values())) == 1
        first[teams[1]] += 1
        orders[names(found)] += 1
        assert names(found)[0] == ("a" if teams[1] == NEW else "b")
    assert first[NEW] == pytest.approx(1_000, abs=100)
    assert set(orders) == {"abc", "abd", "bac", "bad"}
    nearest = interleave(answer("ab", ABSTENTION), answer("ba", ABSTENTION), "before", [], chance)
    assert nearest.interleaved is not None and set(names(nearest)) == set("ab")


def test_where_nothing_differs_or_one_has_no_answer_nothing_is_mixed() -> None:
    assert interleave(answer("ab"), answer("ab"), "before", []) == answer("ab")
    assert interleave(answer("ab"), answer("ba", ABSTENTION), "before", []) == answer("ab")
    written = Answer("generative", 0.9, 0.62, "pt", answer("ab").citations, written="A [1].")
    assert interleave(written, answer("ba"), "before", []) == written


def test_it_stops_for_alike_rankers_in_at_most_one_of_twenty_and_soon_for_others() -> None:
    chance, stopped, needed = random.Random(9), 0, []
    for _ in range(300):
        wins = losses = 0
        while wins + losses < 300 and not Comparison(wins, losses).is_decided:
            wins, losses = (wins + 1, losses) if chance.random() < 0.5 else (wins, losses + 1)
        stopped += Comparison(wins, losses).is_decided
        wins = losses = 0
        while not Comparison(wins, losses).is_decided:
            wins, losses = (wins + 1, losses) if chance.random() < 0.25 else (wins, losses + 1)
        needed.append(wins + losses)
        assert wins + losses < 400
    assert stopped <= 300 / 20
    assert sum(needed) / 300 < 60
    assert Comparison(0, 9).is_lost and not Comparison(9, 0).is_lost and not Comparison(0, 4).is_decided


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        yield made


def test_a_ranker_that_readers_like_less_is_taken_back_by_their_clicks(base: LearningBase) -> None:
    base.serve_ranker(halves_only(0.0, 0.0))
    good = current_release(base.database, base.tenant_id)
    base.serve_vectors_alone()
    bad = current_release(base.database, base.tenant_id)
    assistant = Assistant(base.settings.model_copy(update={"interleave_share": 1.0, "tau_confidence": 0.0}))
    for number in range(GOLDEN, GOLDEN + 30):
        found = assistant.ask(question(number))
        right = [item for item in found.citations if item.passage.url == base.addresses[number]]
        if right:
            record_click(base.home, found.answer_id, right[0].number)
            record_click(base.home, found.answer_id, right[0].number)
    live = compare_live(base.home, bad.model_release_id, good.model_release_id)
    assert live.is_lost and live.losses > live.wins
    found = find_regression(base.home)
    assert found.to == good.model_release_id and "Readers preferred" in found.says
    asked = assistant.ask(question(GOLDEN + 1), channel="cli")
    assert asked.citations, "and in a terminal nothing is mixed"
    assert assistant.rivals._look(assistant.release()).ranker is None, "what is decided is compared no more"
