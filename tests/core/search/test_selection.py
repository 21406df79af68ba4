import numpy as np
from passages import hit

from aion_assets.core.search.selection import best_per_document, select_diverse


def test_a_copy_of_what_is_chosen_gives_way_to_something_else() -> None:
    first, copy, other = hit("a", score=1.0, axis=0), hit("b", score=0.9, axis=0), hit("c", score=0.6, axis=1)
    assert select_diverse([first, copy, other], 2) == [first, other]


def test_relevance_alone_decides_when_diversity_counts_nothing() -> None:
    first, copy, other = hit("a", score=1.0, axis=0), hit("b", score=0.9, axis=0), hit("c", score=0.6, axis=1)
    assert select_diverse([first, copy, other], 2, balance=1.0) == [first, copy]


def test_what_is_selected_keeps_the_order_of_relevance() -> None:
    # Diversity picks c before b, relevance names b first.
    hits = [hit("a", score=1.0, axis=0), hit("b", score=0.9, axis=0), hit("c", score=0.8, axis=1)]
    assert [item.chunk_id for item in select_diverse(hits, 3)] == ["a", "b", "c"]


def test_each_passage_is_selected_once_and_no_more_than_there_are() -> None:
    hits = [hit(str(number), score=1 - number / 100, axis=number % 8) for number in range(24)]
    chosen = select_diverse(hits, 8)
    assert len({item.chunk_id for item in chosen}) == 8
    assert len({int(np.argmax(item.vector)) for item in chosen}) == 8
    assert len(select_diverse(hits[:3], 8)) == 3
    assert select_diverse([], 8) == []


def test_a_document_is_shown_by_its_best_passage() -> None:
    hits = [hit("a1", doc="a", score=1.0), hit("b1", doc="b", score=0.9), hit("a2", doc="a", score=0.8)]
    assert [item.chunk_id for item in best_per_document(hits)] == ["a1", "b1"]
