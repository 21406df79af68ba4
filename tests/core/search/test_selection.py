import numpy as np
from passages import hit

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.selection import best_per_document, select_diverse, without_gathered, without_repeats


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
    assert [item.chunk_id for item in best_per_document(hits, 2)] == ["a1", "b1", "a2"]


def _saying(chunk: str, text: str, start: int, score: float) -> Hit:
    made = hit(chunk, text=text, score=score)
    made.start, made.end = start, start + len(text)
    return made


def test_of_two_passages_that_say_the_same_the_one_from_the_more_special_document_is_kept() -> None:
    print_view = _saying("print", "O compilador recusa a segunda referência mutável.", 90_000, 0.9)
    chapter = _saying("chapter", "O compilador recusa a segunda referência mutável. Veja a listagem.", 300, 0.8)
    other = _saying("other", "O compilador aceita muitas referências imutáveis.", 10, 0.7)
    kept = without_repeats([print_view, chapter, other])
    assert [item.chunk_id for item in kept] == ["chapter", "other"]
    assert [item.score for item in kept] == [0.9, 0.7]


def _of(doc: str, text: str, start: int, score: float, axis: int) -> Hit:
    made = hit(f"{doc}-{start}", doc=doc, text=text, score=score, axis=axis)
    made.start = start
    return made


def test_a_page_that_gathers_others_gives_way_to_them_and_keeps_what_only_it_says() -> None:
    rule, loan, own = "A referência é válida.", "O empréstimo é mutável.", "Este livro tem vinte capítulos."
    in_print = [_of("print", text, 50_000, 0.9, axis) for axis, text in enumerate((rule, loan, own))]
    chapters = [_of("chapter-1", rule, 300, 0.8, 0), _of("chapter-2", loan, 900, 0.7, 1)]
    assert without_gathered([*in_print, *chapters]) == [in_print[2], *chapters]


def test_a_newer_edition_that_repeats_the_older_one_stays_wherever_the_passage_stands() -> None:
    articles = "O recurso tem prazo de dez dias.", "A taxa é paga no protocolo."
    newer = [_of("2024", text, 3_000, 0.9, axis) for axis, text in enumerate(articles)]
    older = [_of("2023", text, 500, 0.8, axis) for axis, text in enumerate(articles)]
    assert without_gathered([*newer, *older]) == [*newer, *older]


def test_copies_that_stand_alike_far_from_the_beginning_stay() -> None:
    copies = [_of(doc, "O prazo é de dez dias.", 500, 0.9, 0) for doc in ("a", "b", "c")]
    assert without_gathered(copies) == copies


def test_passages_that_differ_in_a_number_or_lie_in_one_document_are_no_repeats() -> None:
    old = _saying("old", "O prazo de recurso é de 30 dias.", 0, 0.9)
    new = _saying("new", "O prazo de recurso é de 45 dias.", 0, 0.8)
    assert without_repeats([old, new]) == [old, new]
    again = _saying("again", old.text, 500, 0.7)
    again.doc_id = old.doc_id
    assert without_repeats([old, again]) == [old, again]
