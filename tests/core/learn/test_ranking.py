from pathlib import Path

import numpy as np
import pytest
from passages import index, row

from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.ranking import MIN_LABELLED, RankedList, fit_ranker, ranked_list, ranked_lists
from aion_assets.core.search.ranker import RANKING_FEATURES, builtin_ranker
from aion_assets.core.search.retriever import Retriever

COUNT = 40
START = builtin_ranker("all-MiniLM-L6-v2")
DENSE, FULL_TEXT = (RANKING_FEATURES.index(name) for name in ("dense", "full_text"))


class _OneVector:
    """An embedder that finds every question nearest to the passage of its number."""

    embedder_id = "one"
    dimension = COUNT

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        return np.eye(COUNT, dtype=np.float32)[int(text.rsplit(" ", 1)[-1])]


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    """Vectors are right; the words of each question stand in the passage before the right one."""
    rows = [
        row(number, f"a palavra{(number + 1) % COUNT} está aqui", np.eye(COUNT, dtype=np.float32)[number])
        for number in range(COUNT)
    ]
    return Retriever(index(tmp_path, rows, COUNT), _OneVector(), "default", START)


def _questions(count: int, offset: int) -> list[LabelledQuestion]:
    return [
        LabelledQuestion(
            f"Onde está a palavra{number} {number}", {f"https://example.org/{(number - offset) % COUNT}": 1}
        )
        for number in range(count)
    ]


def _list(right: int, language: str = "pt", weight: float = 1.0) -> RankedList:
    """Two rows: the vectors are for the first, full text for the second."""
    features = np.zeros((2, len(RANKING_FEATURES)))
    features[0, DENSE] = features[1, FULL_TEXT] = 1.0
    return RankedList(features, np.eye(2)[right], language, weight)


def test_the_half_that_is_right_gets_the_weight(retriever: Retriever) -> None:
    of_vectors, of_words = (
        fit_ranker(ranked_lists(retriever, _questions(COUNT, offset)), START).shares("pt") for offset in (0, 1)
    )
    assert of_vectors[DENSE] > START.shares("pt")[DENSE] >= of_words[DENSE]
    assert of_vectors[FULL_TEXT] < of_words[FULL_TEXT]


def test_a_fitted_ranker_puts_the_right_document_first(retriever: Retriever) -> None:
    questions = _questions(COUNT, 0)
    fitted = retriever.with_ranker(fit_ranker(ranked_lists(retriever, questions), START))

    def firsts(of: Retriever) -> int:
        return sum(of.search(question.text, 1)[0].url in question.relevant for question in questions)

    assert firsts(fitted) > firsts(retriever)


def test_only_languages_with_enough_questions_are_fitted() -> None:
    fitted = fit_ranker([_list(0)] * MIN_LABELLED + [_list(0, "en")] * (MIN_LABELLED - 1), START)
    assert fitted.shares("en").tolist() == START.shares("en").tolist()
    assert fitted.shares("pt")[DENSE] > START.shares("pt")[DENSE]
    assert fitted.fitted_on["questions"] == MIN_LABELLED
    assert fit_ranker([_list(0)] * (MIN_LABELLED - 1), START) is START


def test_lists_without_a_right_row_teach_nothing() -> None:
    nothing = RankedList(_list(0).features, np.zeros(2), "pt")
    assert fit_ranker([_list(0)] * MIN_LABELLED + [nothing] * 99, START) == fit_ranker([_list(0)] * MIN_LABELLED, START)


def test_what_the_questions_do_not_know_keeps_its_place_in_the_order_of_shares() -> None:
    fitted, start = (ranker.shares("pt") for ranker in (fit_ranker([_list(0)] * MIN_LABELLED, START), START))
    others = [row for row in range(len(RANKING_FEATURES)) if row not in (DENSE, FULL_TEXT)]
    assert np.argsort(fitted[others]).tolist() == np.argsort(start[others]).tolist()


def test_a_list_counts_by_its_weight() -> None:
    undecided = [_list(number % 2) for number in range(MIN_LABELLED)]
    for_vectors = [_list(0, weight=9.0) if number % 2 else _list(1) for number in range(MIN_LABELLED)]
    assert fit_ranker(for_vectors, START).shares("pt")[DENSE] > fit_ranker(undecided, START).shares("pt")[DENSE]


def test_the_same_lists_give_the_same_weights(retriever: Retriever) -> None:
    first, again = (fit_ranker(ranked_lists(retriever, _questions(COUNT, 0)), START) for _ in range(2))
    assert first.to_json() == again.to_json()


def test_a_list_holds_the_best_passage_of_every_document(retriever: Retriever) -> None:
    question = _questions(1, 0)[0]
    made = ranked_list(retriever, question)
    assert made.features.shape == (len(made.relevance), len(RANKING_FEATURES))
    assert made.relevance.sum() == 1
