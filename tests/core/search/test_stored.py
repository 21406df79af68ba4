"""Passages in memory find and read the same as those on disk."""

from pathlib import Path

import lancedb
import numpy as np
import pytest
from passages import index, row

from aion_assets.core.language.question import Question
from aion_assets.core.search import stored
from aion_assets.core.search.stored import ResidentPassages, StoredPassages, fits_in_memory, vectors_of

COUNT, DIMENSION = 300, 16
COLUMNS = ["chunk_id", "doc_id", "text", "vector"]


@pytest.fixture
def both(tmp_path: Path) -> tuple[StoredPassages, ResidentPassages]:
    vectors = np.random.default_rng(1).normal(size=(COUNT, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [row(number, f"palavra{number % 7} comum", vectors[number]) for number in range(COUNT)]
    table = index(tmp_path, rows, DIMENSION)
    table.delete("chunk_id IN ('chunk-3', 'chunk-77')")  # so that row ids are no positions
    return StoredPassages(table, COLUMNS), ResidentPassages(table, COLUMNS)


def test_both_find_the_same_nearest_in_the_same_order(both: tuple[StoredPassages, ResidentPassages]) -> None:
    on_disk, in_memory = both
    for vector in vectors_of(on_disk.rows(on_disk.nearest(np.eye(DIMENSION, dtype=np.float32)[0], 20))):
        assert in_memory.nearest(vector, 10) == on_disk.nearest(vector, 10)
        where = "doc_id <> 'doc-5'"
        assert in_memory.nearest(vector, 10, where) == on_disk.nearest(vector, 10, where)


def test_both_read_the_same_rows(both: tuple[StoredPassages, ResidentPassages]) -> None:
    on_disk, in_memory = both
    ids = [*on_disk.matching(Question.read("palavra4"), 12)]
    assert len(ids) == 12
    read = [
        {row["_rowid"]: (row["chunk_id"], row["text"], row["vector"]) for row in passages.rows(ids).to_pylist()}
        for passages in both
    ]
    assert read[0] == read[1]
    assert in_memory.rows([]).num_rows == on_disk.rows([]).num_rows == 0


def test_more_is_asked_for_than_there_is(both: tuple[StoredPassages, ResidentPassages]) -> None:
    on_disk, in_memory = both
    vector = np.eye(DIMENSION, dtype=np.float32)[1]
    assert set(in_memory.nearest(vector, 1_000)) == set(on_disk.nearest(vector, 1_000))
    assert len(in_memory.nearest(vector, 1_000)) == COUNT - 2


def test_an_index_that_is_too_large_stays_on_disk(
    both: tuple[StoredPassages, ResidentPassages], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = both[0].table
    assert fits_in_memory(table, DIMENSION)
    monkeypatch.setattr(stored, "RESIDENT_BYTES", 600_000)
    assert not fits_in_memory(table, DIMENSION)


def test_an_index_that_the_cache_cannot_hold_is_searched_from_disk(
    both: tuple[StoredPassages, ResidentPassages], tmp_path: Path
) -> None:
    # A process that indexes has a cache of a few megabytes, which two indexes fill.
    cramped = lancedb.connect(tmp_path, session=lancedb.Session(index_cache_size_bytes=1_000)).open_table("knowledge")
    with pytest.raises(RuntimeError, match="cache"):
        for index_of_table in cramped.list_indices():
            cramped.prewarm_index(index_of_table.name)
    question = Question.read("palavra4")
    assert ResidentPassages(cramped, COLUMNS).matching(question, 12) == both[0].matching(question, 12)
