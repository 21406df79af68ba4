"""The search structures over the table `knowledge`: full text in two languages, vectors, filters."""

import ctypes
import platform
from datetime import timedelta
from typing import TYPE_CHECKING

from aion_assets.core.search.analysis import FULL_TEXT_LANGUAGES

if TYPE_CHECKING:
    from lancedb.table import Table

# Below this exact search takes some 5 ms and needs no upkeep.
EXACT_ROWS = 5_000
# IVF_FLAT keeps the vectors whole, so that only the partitions left out cost recall. Probing a third of them or more
# finds .98 of the exact 50 nearest of 100 000 (.997 with 24 partitions), in 15 ms where exact search takes 225. HNSW
# is no faster at that size and takes 80 times as long to build, IVF_PQ stays at .86.
ROWS_PER_PARTITION = 4_096
MAX_PARTITIONS = 56
PROBES = 20
# Share of rows that may change before the vector index is built anew instead of extended.
REBUILD_SHARE = 0.2
# glibc serves ever larger blocks from its heap and gives its holes back late: the vector index of 240 000 rows took
# 1.16 GB to build, and takes 0.76 with this limit. The tensors of the embedder stay below it; with a mapping of its own
# for each, embedding took a quarter more time.
_HEAP_BLOCK_BYTES = 8_000_000
_M_MMAP_THRESHOLD = -3
# Lance cleans old versions while it optimizes, after 7 days by default, and fails when a release still holds one.
# Releases are what cleans here.
_NEVER = timedelta(days=36_500)


def build_indexes(table: "Table", *, changed_rows: int) -> None:
    """Make every search structure that is missing, and bring the others up to the rows that changed."""
    rows = table.count_rows()
    if rows == 0:
        return
    present = {index.columns[0]: index for index in table.list_indices()}
    for lang, language in FULL_TEXT_LANGUAGES.items():
        for kind in ("text", "context"):
            if f"{kind}_{lang}" not in present:
                _build_full_text(table, f"{kind}_{lang}", language)
    for column in ("chunk_id", "doc_id", "source_id"):
        if column not in present:
            _build_filter(table, column)
    if rows > EXACT_ROWS and ("vector" not in present or changed_rows > REBUILD_SHARE * rows):
        _build_vectors(table, rows)
    # Asked of the indexes themselves, too: a run that was killed before this point may have changed rows.
    if (changed_rows and present) or any(index.num_unindexed_rows for index in table.list_indices()):
        table.optimize(cleanup_older_than=_NEVER)


def _build_full_text(table: "Table", column: str, language: str) -> None:
    from lancedb.index import FTS

    # Positions are for phrase queries, which nothing asks; with them optimize has crashed.
    table.create_index(column, config=FTS(language=language, with_position=False))


def _build_filter(table: "Table", column: str) -> None:
    from lancedb.index import BTree

    table.create_index(column, config=BTree())


def _build_vectors(table: "Table", rows: int) -> None:
    from lancedb.index import IvfFlat

    _give_large_blocks_back()
    partitions = min(MAX_PARTITIONS, max(1, rows // ROWS_PER_PARTITION))
    table.create_index("vector", config=IvfFlat(distance_type="cosine", num_partitions=partitions), replace=True)


def _give_large_blocks_back() -> None:
    """For the rest of this process; a setting of glibc, so nothing elsewhere."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _HEAP_BLOCK_BYTES)
