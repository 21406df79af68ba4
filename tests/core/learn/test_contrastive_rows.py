"""What the retriever adapter learns from, and what it must not see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from vocabulary_base import VocabularyBase, vocabulary_base

from aion_assets.core.learn.contrastive_rows import SENTENCE, TITLE, ContrastiveRows, contrastive_rows
from aion_assets.core.learn.golden import DEV, TEST, golden_questions
from aion_assets.core.learn.pairs import GOLDEN, build_pairs, plain
from aion_assets.core.learn.scales import best_scale, judging_questions
from aion_assets.core.release.releases import current_release


@pytest.fixture
def base(home: Path) -> Iterator[VocabularyBase]:
    with vocabulary_base() as made:
        made.label()
        yield made


def _rows(base: VocabularyBase) -> ContrastiveRows:
    return contrastive_rows(base.home, current_release(base.database, base.tenant_id), build_pairs(base.home).pairs)


def test_nothing_of_a_golden_document_that_measures_is_learned(base: VocabularyBase) -> None:
    data = _rows(base)
    measures = golden_questions(base.home, TEST, DEV)
    addresses = {url for question in measures for url in question.relevant}
    barred = {row["doc_id"] for row in base.rows("documents", "doc_id url") if row["url"] in addresses}
    assert data.rows and barred
    assert barred.isdisjoint(passage.doc_id for passage in data.passages), "not even as a wrong answer"
    asked = {plain(row.question) for row in (*data.rows, *data.held_out)}
    assert asked.isdisjoint(plain(question.text) for question in measures)
    assert data.left_out["golden_passage"] == len(barred)


def test_every_row_names_its_origin_and_its_right_passage(base: VocabularyBase) -> None:
    data = _rows(base)
    url_of = {row["doc_id"]: row["url"] for row in base.rows("documents", "doc_id url")}
    chunks = {passage.chunk_id for passage in data.passages}
    golden = {question.query_id for question in golden_questions(base.home)}
    for row in (*data.rows, *data.held_out):
        if row.origin == GOLDEN:
            assert url_of[data.passages[row.passage].doc_id] == base.right[row.question] and row.origin_id in golden
        else:
            assert row.origin in (TITLE, SENTENCE) and row.origin_id in chunks
    learned = {data.passages[row.passage].doc_id for row in data.rows}
    assert data.held_out and learned.isdisjoint(data.passages[row.passage].doc_id for row in data.held_out)
    assert {item.text for item in judging_questions(base.home, data)} >= {row.question for row in data.held_out}
    assert _rows(base).digest == data.digest


def test_sentences_of_the_corpus_are_few_beside_what_people_ask(
    base: VocabularyBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sentences(data: ContrastiveRows) -> int:
        return sum(row.origin == SENTENCE for row in data.rows)

    everything = _rows(base)
    monkeypatch.setattr("aion_assets.core.learn.contrastive_rows._LEAST_SENTENCES", 2)
    data = _rows(base)
    people = sum(row.origin == GOLDEN for row in data.rows)
    assert sentences(data) == max(2, people // 2) < sentences(everything)
    assert data.left_out["enough_sentences"] == sentences(everything) - sentences(data)
    assert len(data.rows) - sentences(data) == len(everything.rows) - sentences(everything), "titles all stay"


def test_of_scales_that_find_as_much_the_smallest_is_taken() -> None:
    assert best_scale({0.0: 0.5, 0.25: 0.6, 0.5: 0.6, 1.0: 0.55}) == 0.25
    assert best_scale({0.0: 0.5, 0.5: 0.5, 1.0: 0.4}) == 0.0
