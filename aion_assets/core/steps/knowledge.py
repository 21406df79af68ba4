"""Fill the index: the chunks of every source with their vectors, and the search structures over them."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aion_assets.core import progress
from aion_assets.core.curation import hidden
from aion_assets.core.database import Database
from aion_assets.core.diff import counted_version, diff_rows
from aion_assets.core.lake import WRITE_ROWS, Lake
from aion_assets.core.records import CHUNKS, embeddings_schema, knowledge_schema
from aion_assets.core.search.indexes import build_indexes, index_columns
from aion_assets.core.steps.embeddings import table_of as embeddings_table
from aion_assets.core.steps.report import ShowProgress, StepReport

# Whoever changes an index, checks it against the chunks or releases it takes this turn.
TURN = "index"
_CHUNK = [
    "chunk_id", "doc_id", "tenant_id", "source_id", "doc_version", "position", "start", "end", "page", "heading",
    "fragment", "lang", "title", "url", "text", "context", "text_hash", "row_hash",
]  # fmt: skip


def table_of(embedder_id: str) -> str:
    """Each embedder has its own index, so that switching builds the new one beside the one that serves."""
    return embeddings_table(embedder_id).replace("embeddings", "knowledge", 1)


def build_index(
    lake: Lake, database: Database, tenant_id: str, embedder_id: str, dimension: int, show: ShowProgress
) -> StepReport:
    """Bring the index up to the chunks, row by row, then its search structures.

    Other sources may be worked on meanwhile: the index is brought up to the chunks and vectors of one moment, and a
    document with a chunk that had no vector then keeps the rows it has.
    """
    with lake.turn(TURN):
        return _build(lake, database, tenant_id, embedder_id, dimension, show)


def _build(
    lake: Lake, database: Database, tenant_id: str, embedder_id: str, dimension: int, show: ShowProgress
) -> StepReport:
    started = time.monotonic()
    table = table_of(embedder_id)
    embedded = progress.reached_now(database, progress.EMBEDDED)
    # Made if missing, so that the tags can say that there was nothing yet.
    lake.table("chunks", CHUNKS)
    lake.table(embeddings_table(embedder_id), embeddings_schema(dimension))
    lake.set_tag("chunks", table)
    lake.set_tag(embeddings_table(embedder_id), table)
    wanted = wanted_rows(lake, embedder_id, hidden(database, tenant_id).source_ids)
    schema = knowledge_schema(dimension)
    lake.table(table, schema)
    stored = {
        row["chunk_id"]: row["row_hash"]
        for row in lake.rows(table, ["chunk_id", "row_hash", "doc_id"])
        if row["doc_id"] not in wanted.waiting
    }
    difference = diff_rows(stored, wanted.rows)
    report = StepReport()
    report.counts.update(difference.counts())
    report.drops["waiting_documents"] = len(wanted.waiting)
    written = 0
    for begin in range(0, len(difference.due), WRITE_ROWS):
        some = difference.due[begin : begin + WRITE_ROWS]
        rows = _with_vectors(lake, list(lake.rows_by_key("chunks", _CHUNK, "chunk_id", some, table)), embedder_id)
        lake.upsert(table, schema, "chunk_id", [row | index_columns(row) for row in rows])
        written += len(rows)
        show(begin + len(some), len(difference.due), "indexing")
    lake.delete(table, "chunk_id", difference.orphaned)
    with lake.changing(table) as open_table:
        show(len(difference.due), len(difference.due), "search structures")
        build_indexes(open_table, changed_rows=written + len(difference.orphaned))
    with database.write() as connection:
        progress.mark_reached(connection, progress.INDEXED, embedded)

    report.rows, report.data_version = counted_version(
        (row["chunk_id"], row["row_hash"]) for row in lake.rows(table, ["chunk_id", "row_hash"])
    )
    report.notes = {"table": table, "version": int(lake.table(table).version)}
    report.seconds = time.monotonic() - started
    return report


@dataclass(frozen=True, slots=True)
class Wanted:
    """`rows` maps chunk_id to row_hash; `waiting` are the documents that some run is still embedding."""

    rows: dict[str, str]
    waiting: frozenset[str]


def wanted_rows(lake: Lake, embedder_id: str, removed: Collection[str]) -> Wanted:
    """What the index should hold since it was last brought up to the chunks; `removed` are ids of sources."""
    tag, vectors = table_of(embedder_id), embeddings_table(embedder_id)
    chunks_tag = tag if lake.has_tag("chunks", tag) else ""
    vectors_tag = tag if lake.has_tag(vectors, tag) else ""
    embedded = {row["text_hash"] for row in lake.rows(vectors, ["text_hash"], tag=vectors_tag)}
    rows: dict[str, str] = {}
    document_of: dict[str, str] = {}
    waiting = set()
    columns = ["chunk_id", "row_hash", "doc_id", "source_id", "text_hash"]
    for row in lake.rows("chunks", columns, tag=chunks_tag):
        if row["source_id"] in removed:
            continue
        rows[row["chunk_id"]] = row["row_hash"]
        document_of[row["chunk_id"]] = row["doc_id"]
        if row["text_hash"] not in embedded:
            waiting.add(row["doc_id"])
    if waiting:
        rows = {key: row_hash for key, row_hash in rows.items() if document_of[key] not in waiting}
    return Wanted(rows, frozenset(waiting))


def _with_vectors(lake: Lake, rows: Sequence[dict[str, Any]], embedder_id: str) -> list[dict[str, Any]]:
    keys = sorted({f"{row['text_hash']}/{embedder_id}" for row in rows})
    found = lake.rows_by_key(embeddings_table(embedder_id), ["text_hash", "vector"], "embedding_key", keys)
    vectors = {row["text_hash"]: row["vector"] for row in found}
    return [row | {"vector": vectors[row["text_hash"]]} for row in rows]
