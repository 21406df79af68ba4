import numpy as np
import pytest
from passages import hit

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.sections import section_scores


def _in_section(doc: str, heading: str, score: float) -> Hit:
    made = hit(f"{doc}-{heading}-{score}", doc=doc, score=score)
    made.heading = heading
    return made


def _mixed(hits: list[Hit], weight: float = 0.5) -> list[float]:
    scores = np.array([item.score for item in hits])
    return ((1 - weight) * scores + weight * section_scores(hits, scores)).tolist()


def test_a_page_with_several_sections_on_the_subject_passes_one_that_mentions_it() -> None:
    mention = _in_section("notes", "Mailer", 0.8)
    page = [_in_section("mailer", heading, 0.7) for heading in ("Sending", "Layouts", "Testing")]
    before, *after = _mixed([mention, *page])
    assert all(score > before for score in after)


def test_the_first_section_counts_whole_the_second_half_the_third_a_quarter() -> None:
    page = [_in_section("page", heading, score) for heading, score in (("a", 0.8), ("b", 0.4), ("c", 0.4))]
    other = _in_section("other", "", 0.55)
    # The page sums to .8 + .4 / 2 + .4 / 4 = 1.1, twice what the other has.
    assert _mixed([*page, other], weight=1.0) == pytest.approx([1, 1, 1, 0.5])


def test_passages_of_one_section_count_once() -> None:
    long_section = [_in_section("long", "One", score) for score in (0.6, 0.6, 0.6)]
    other = _in_section("other", "One", 0.6)
    assert _mixed([*long_section, other]) == pytest.approx([0.8] * 4)


def test_documents_without_sections_keep_their_order_however_many_passages_they_have() -> None:
    best, *passages = [_in_section(doc, "", score) for doc, score in (("b", 0.9), ("a", 0.85), ("a", 0.8), ("a", 0.8))]
    mixed = _mixed([best, *passages])
    assert mixed[0] == max(mixed) == pytest.approx(0.95)
    assert _mixed([best, *passages], weight=0.0) == [0.9, 0.85, 0.8, 0.8]


def test_nothing_found_and_nothing_alike_stay_as_they_are() -> None:
    assert _mixed([]) == []
    assert _mixed([_in_section("a", "", 0.0)]) == [0.0]
