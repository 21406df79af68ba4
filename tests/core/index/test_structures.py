from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from lancedb.table import Table
from passages import index, row

from aion_assets.core.index import lookup, recall, structures
from aion_assets.core.index.analysis import index_columns
from aion_assets.core.index.lookup import FullTextIndex, nearest
from aion_assets.core.index.recall import exact_recall
from aion_assets.core.index.structures import build_indexes
from aion_assets.core.lake.conditions import is_in
from aion_assets.core.language.question import Question

DIMENSION = 16


def _random(count: int) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_row_fills_the_columns_of_its_own_language_under_its_title_and_heading() -> None:
    made = {"lang": "en", "title": "Git", "heading": "Undo", "text": "Use revert.", "context": "Oops. Use revert."}
    columns = index_columns(made)
    assert columns == {
        "text_pt": None,
        "text_en": "git\nundo\nuse revert.",
        "context_pt": None,
        "context_en": "git\nundo\noop. use revert.",
    }
    assert index_columns(made | {"lang": "es"})["text_pt"] == "git\nundo\nusar revert."


def test_full_text_knows_endings_and_accents_of_both_languages(tmp_path: Path) -> None:
    vectors = _random(3)
    rows = [
        row(0, "As eleições municipais ocorrem em outubro.", vectors[0]),
        row(1, "The dogs were running in the park.", vectors[1], lang="en"),
        row(2, "Nada disso.", vectors[2]),
    ]
    table = index(tmp_path, rows, DIMENSION)

    def found(question: str) -> list[str]:
        hits = FullTextIndex(table).matching(Question.read(question), 5, ["chunk_id"])
        return hits["chunk_id"].to_pylist()

    assert found("municipal") == ["chunk-0"]
    assert found("eleicoes") == ["chunk-0"]
    assert found("a dog runs") == ["chunk-1"]
    assert found("um cachorro") == []


def test_function_words_do_not_find_passages_of_the_other_language(tmp_path: Path) -> None:
    vectors = _random(3)
    rows = [
        row(0, "O que significa how do I em inglês.", vectors[0]),
        row(1, "Git stash saves what you changed.", vectors[1], lang="en"),
        row(2, "O comando stash guarda mudanças.", vectors[2]),
    ]
    table = index(tmp_path, rows, DIMENSION)
    hits = FullTextIndex(table).matching(Question.read("How do I stash?"), 5, ["chunk_id"])
    assert set(hits["chunk_id"].to_pylist()) == {"chunk-1", "chunk-2"}


def test_only_filled_columns_are_asked(tmp_path: Path) -> None:
    table = index(tmp_path, [row(0, "Só português.", _random(1)[0])], DIMENSION)
    assert FullTextIndex(table).columns == ["text_pt", "context_pt"]


def test_an_empty_table_needs_no_index(tmp_path: Path) -> None:
    table = index(tmp_path, [], DIMENSION)
    assert list(table.list_indices()) == []


def test_the_vector_index_finds_what_exact_search_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "EXACT_ROWS", 100)
    vectors = _random(400)
    table = index(tmp_path, [row(number, f"texto {number}", vectors[number]) for number in range(400)], DIMENSION)
    assert "vector" in {item.columns[0] for item in table.list_indices()}
    assert exact_recall(table, _random(420)[400:], 10) >= 0.98


def test_recall_tells_an_index_that_looks_at_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "EXACT_ROWS", 100)
    monkeypatch.setattr(structures, "ROWS_PER_PARTITION", 20)
    vectors = _random(400)
    table = index(tmp_path, [row(number, f"texto {number}", vectors[number]) for number in range(400)], DIMENSION)
    monkeypatch.setattr(lookup, "PROBES", 1)
    assert exact_recall(table, _random(420)[400:], 10) < 0.8


def test_recall_does_not_ask_which_of_equal_rows_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structures, "EXACT_ROWS", 100)
    vectors = _random(20)
    table = index(tmp_path, [row(number, "Igual.", vectors[number % 20]) for number in range(600)], DIMENSION)

    def others(table: Table, vector: np.ndarray, k: int, columns: list[str]) -> pa.Table:
        """Of the rows that are as near, those that exact search does not name."""
        search = table.search(vector, vector_column_name="vector").distance_type("cosine").bypass_vector_index()
        first = search.limit(k).select(["chunk_id"]).to_arrow()["chunk_id"].to_pylist()
        return nearest(table, vector, k, columns, where=f"NOT {is_in('chunk_id', first)}")

    monkeypatch.setattr(recall, "nearest", others)
    assert exact_recall(table, vectors, 10) == 1.0


def test_few_changed_rows_extend_the_vector_index_and_many_rebuild_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structures, "EXACT_ROWS", 100)
    vectors = _random(400)
    table = index(tmp_path, [row(number, f"texto {number}", vectors[number]) for number in range(300)], DIMENSION)
    built = _vector_index(table)
    schema = table.schema
    added = [row(number, f"novo {number}", vectors[number]) for number in range(300, 310)]
    table.add([{name: value for name, value in one.items() if name in schema.names} for one in added])
    build_indexes(table, changed_rows=10)
    extended = _vector_index(table)
    assert extended.num_unindexed_rows == 0
    build_indexes(table, changed_rows=200)
    assert _vector_index(table).created_at > built.created_at
    found = FullTextIndex(table).matching(Question.read("novo"), 20, ["chunk_id"])
    assert found.num_rows == 10


def _vector_index(table: object) -> object:
    return next(item for item in table.list_indices() if item.columns == ["vector"])
