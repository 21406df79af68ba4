"""The search structures of the table `knowledge`: full text in two languages, vectors, filters."""

from datetime import timedelta
from typing import TYPE_CHECKING

from aion_assets.core.index.analysis import FULL_TEXT_LANGUAGES
from aion_assets.core.lake.memory import give_back

if TYPE_CHECKING:
    from lancedb.table import Table

# With fewer rows, exact search is fast and needs no upkeep.
EXACT_ROWS = 5_000
# IVF_FLAT keeps the vectors whole, so that only the partitions that are not probed cost recall. Probing a third of them
# holds the recall that `index_recall_is_high` asks for. HNSW is no faster at the sizes meant here and takes far longer
# to build; IVF_PQ misses that recall.
ROWS_PER_PARTITION = 4_096
MAX_PARTITIONS = 56
PROBES = 20
# MB that the words of a column may take before they are written as one more part. A search asks every part, so fewer
# parts are faster, but a larger part takes more memory to build. Several workers would make more and smaller parts.
_WORDS_MB = 32
# Share of rows that may change before the vector index is built anew instead of extended.
REBUILD_SHARE = 0.2
# By default Lance deletes versions older than 7 days while it optimizes, and fails when a release still holds one. Here
# compaction deletes them.
_NEVER = timedelta(days=36_500)


def build_indexes(table: "Table", *, changed_rows: int) -> None:
    """Build every search structure that is missing, and update the others with the rows that changed."""
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
    # Ask the indexes themselves, too: a run that was killed before this point may have changed rows.
    if (changed_rows and present) or any(index.num_unindexed_rows for index in table.list_indices()):
        table.optimize(cleanup_older_than=_NEVER)


def _build_full_text(table: "Table", column: str, language: str) -> None:
    from lancedb.index import FTS

    # Positions serve phrase queries, which AION never makes. With them Lance's optimize can crash.
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
