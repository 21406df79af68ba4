"""The search structures over the table `knowledge`: full text in two languages, vectors, filters."""

from datetime import timedelta
from typing import TYPE_CHECKING

from aion_assets.core.index.analysis import FULL_TEXT_LANGUAGES
from aion_assets.core.lake.memory import give_back

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
# MB that the words of a column may take before they are written down; each time is one more part to ask, and several
# workers would share them and make more and smaller parts. Of 240 000 passages with the text around them that
# is eight parts with 16, four with 48; a search takes 24 and 22 ms, and 21 where all is one part, which took 76 MB more
# than with 16.
_WORDS_MB = 32
# Share of rows that may change before the vector index is built anew instead of extended.
REBUILD_SHARE = 0.2
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
    config = FTS(language=language, with_position=False, memory_limit=_WORDS_MB, num_workers=1)
    table.create_index(column, config=config)
    give_back()


def _build_filter(table: "Table", column: str) -> None:
    from lancedb.index import BTree

    table.create_index(column, config=BTree())


def _build_vectors(table: "Table", rows: int) -> None:
    from lancedb.index import IvfFlat

    partitions = min(MAX_PARTITIONS, max(1, rows // ROWS_PER_PARTITION))
    table.create_index("vector", config=IvfFlat(distance_type="cosine", num_partitions=partitions), replace=True)
