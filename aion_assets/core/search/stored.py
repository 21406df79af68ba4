"""The passages of one version of the index: on disk, or in memory when they are few.

A search asks each half for row ids and scores only, and then reads the rows of both once: reading takes longer than
finding. Row ids are valid for one version of a table.
"""

import logging
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aion_assets.core.index.analysis import FULL_TEXT_COLUMNS
from aion_assets.core.index.lookup import FullTextIndex, nearest
from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.language.question import Question

if TYPE_CHECKING:
    from lancedb.table import LanceTable, Table

Vector = NDArray[np.float32]
_log = logging.getLogger(__name__)
# Memory that an index may take of a server: room for some 57 000 passages of 384 dimensions. A search in memory
# (docs/experiments.md, speed) is much faster than one from disk.
RESIDENT_BYTES = 200_000_000
_NEARLY_ALL = 0.9
# Allowance for the text of a passage (at most 1 200 characters), its title, address and the rest.
_BYTES_WITHOUT_VECTOR = 2_000


class StoredPassages:
    """`columns` are those that `rows` reads. Safe to use from several threads."""

    def __init__(self, table: "Table", columns: Sequence[str]) -> None:
        self.table = table
        self.columns = [*columns]

    @cached_property
    def count(self) -> int:
        return self.table.count_rows()

    @cached_property
    def _full_text(self) -> FullTextIndex:
        return FullTextIndex(self.table)

    @property
    def searchable(self) -> bool:
        return bool(self._full_text.columns)

    @cached_property
    def language(self) -> str:
        """ "pt" or "en" where nearly all passages are in it, else ""."""
        shares = {
            language: self.table.count_rows(f"text_{language} IS NOT NULL") / max(self.count, 1)
            for language in (PORTUGUESE, ENGLISH)
        }
        return next((language for language, share in shares.items() if share >= _NEARLY_ALL), "")

    def nearest(self, vector: Vector, k: int, where: str = "") -> list[int]:
        """Row ids by falling cosine; `where` is an SQL filter."""
        return nearest(self.table, vector, k, ["_rowid"], where=where)["_rowid"].to_pylist()

    def matching(self, question: Question, k: int, where: str = "") -> dict[int, float]:
        """Row id → full-text score, by falling score."""
        found = self._full_text.matching(question, k, ["_rowid"], where)
        return dict(zip(found["_rowid"].to_pylist(), found["lexical"].to_pylist(), strict=True))

    def rows(self, ids: Sequence[int]) -> pa.Table:
        """`columns` and `_rowid` of these rows, in any order."""
        return self.table.take_row_ids(list(ids)).select([*self.columns, "_rowid"]).to_arrow()


class ResidentPassages(StoredPassages):
    """All rows and the full-text indexes in memory. Only full text and searches under a filter ask the table."""

    def __init__(self, table: "Table", columns: Sequence[str]) -> None:
        super().__init__(table, columns)
        for index in table.list_indices():
            if index.columns[0] in FULL_TEXT_COLUMNS:
                _warm(table, index.name)
        everything = table.search().select([*columns, "_rowid"]).to_arrow().combine_chunks()
        everything = everything.take(pa.array(np.argsort(everything["_rowid"].to_numpy())))
        self._ids = everything["_rowid"].to_numpy()
        self._rows = everything
        self._vectors = vectors_of(everything)

    def nearest(self, vector: Vector, k: int, where: str = "") -> list[int]:
        if where:
            return super().nearest(vector, k, where)
        cosines = self._vectors @ vector
        k = min(k, len(cosines))
        best = np.argpartition(-cosines, k - 1)[:k] if k else np.empty(0, dtype=np.int64)
        return [int(self._ids[place]) for place in best[np.argsort(-cosines[best])]]

    def rows(self, ids: Sequence[int]) -> pa.Table:
        return self._rows.take(pa.array(np.searchsorted(self._ids, np.asarray(ids, dtype=self._ids.dtype))))


def _warm(table: "Table", index: str) -> None:
    """Spare the first search of each word to read it from disk. Where the cache of this process is too small for the
    index, or full of another one, words are read as they are asked for.
    """
    try:
        cast("LanceTable", table).prewarm_index(index)
    except RuntimeError as error:
        _log.info("Index %s of %s stays on disk: %s", index, table.name, error)


def fits_in_memory(table: "Table", dimension: int) -> bool:
    return table.count_rows() * (_BYTES_WITHOUT_VECTOR + 4 * dimension) <= RESIDENT_BYTES


def vectors_of(rows: pa.Table) -> NDArray[np.float32]:
    """(rows, dimension)"""
    if rows.num_rows == 0:
        return np.empty((0, rows.schema.field("vector").type.list_size), dtype=np.float32)
    flat = rows["vector"].combine_chunks().flatten().to_numpy()
    return flat.reshape(rows.num_rows, -1)
