"""Fill the index: the chunks of every source with their vectors, and the search structures over them."""

import time
from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa

from aion_assets.core import progress
from aion_assets.core.curation import hidden
from aion_assets.core.database import Database
from aion_assets.core.diff import counted_version, diff_rows
from aion_assets.core.lake import WRITE_ROWS, Lake
from aion_assets.core.records import CHUNKS, embeddings_schema, knowledge_schema
from aion_assets.core.search.analysis import analysis_version, index_columns
from aion_assets.core.search.indexes import build_indexes
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
    schema = knowledge_schema(dimension)
    lake.table(table, schema)
    removed = hidden(database, tenant_id).source_ids
    waiting = waiting_documents(lake, embedder_id, removed)
    report = StepReport()
    report.drops["waiting_documents"] = len(waiting)
    total, compared = lake.count("chunks"), 0
    due: list[str] = []
    orphaned: list[str] = []
    for part in lake.ranges("chunk_id", "chunks", table):
        wanted = wanted_rows(lake, embedder_id, removed, waiting, part)
        stored = {
            row["chunk_id"]: row["row_hash"]
            for row in lake.rows(table, ["chunk_id", "row_hash", "doc_id"], part)
            if row["doc_id"] not in waiting
        }
        difference = diff_rows(stored, wanted)
        report.counts.update(difference.counts())
        compared += len(wanted)
        due += difference.due
        orphaned += difference.orphaned
        while len(due) >= WRITE_ROWS:
            some, due = due[:WRITE_ROWS], due[WRITE_ROWS:]
            _write(lake, embedder_id, schema, some)
            show(compared - len(due), total, "indexing")
        if len(orphaned) >= WRITE_ROWS:
            lake.delete(table, "chunk_id", orphaned)
            orphaned = []
    _write(lake, embedder_id, schema, due)
    lake.delete(table, "chunk_id", orphaned)
    with lake.changing(table) as open_table:
        show(compared, compared, "search structures")
        build_indexes(open_table, changed_rows=sum(report.counts[name] for name in ("new", "changed", "orphaned")))
    with database.write() as connection:
        progress.mark_reached(connection, progress.INDEXED, embedded)

    report.rows, report.data_version = counted_version(
        (row["chunk_id"], row["row_hash"]) for row in lake.rows(table, ["chunk_id", "row_hash"])
    )
    report.notes = {"table": table, "version": int(lake.table(table).version)}
    report.seconds = time.monotonic() - started
    return report


def waiting_documents(lake: Lake, embedder_id: str, removed: Collection[str]) -> frozenset[str]:
    """The documents that some run was still embedding when the index was last brought up to the chunks.

    `removed` are ids of sources whose documents nobody waits for.
    """
    vectors = embeddings_table(embedder_id)
    chunks_tag, vectors_tag = _tag_of("chunks", lake, embedder_id), _tag_of(vectors, lake, embedder_id)
    waiting: set[str] = set()
    for part in lake.ranges("text_hash", "chunks", vectors):
        embedded = {row["text_hash"] for row in lake.rows(vectors, ["text_hash"], part, vectors_tag)}
        waiting.update(
            row["doc_id"]
            for row in lake.rows("chunks", ["doc_id", "source_id", "text_hash"], part, chunks_tag)
            if row["source_id"] not in removed and row["text_hash"] not in embedded
        )
    return frozenset(waiting)


def wanted_rows(
    lake: Lake, embedder_id: str, removed: Collection[str], waiting: Collection[str], part: str
) -> dict[str, str]:
    """chunk_id → `indexed_hash` of what the index should hold since it was last brought up to the chunks.

    `removed` are ids of sources, `waiting` of documents that keep the rows they have; `part` is one of the ranges of
    chunk_id.
    """
    columns = ["chunk_id", "row_hash", "doc_id", "source_id"]
    return {
        row["chunk_id"]: indexed_hash(row["row_hash"])
        for row in lake.rows("chunks", columns, part, _tag_of("chunks", lake, embedder_id))
        if row["source_id"] not in removed and row["doc_id"] not in waiting
    }


def indexed_hash(row_hash: str) -> str:
    """The row hash, in the index, of a chunk with this one: it changes with the analysis of the text, too."""
    return f"{row_hash}/{analysis_version()}"


def _tag_of(name: str, lake: Lake, embedder_id: str) -> str:
    """The tag under which the index took the table `name`; "" before the first build."""
    tag = table_of(embedder_id)
    return tag if lake.has_tag(name, tag) else ""


def _write(lake: Lake, embedder_id: str, schema: pa.Schema, chunk_ids: Sequence[str]) -> None:
    table = table_of(embedder_id)
    rows = _with_vectors(lake, list(lake.rows_by_key("chunks", _CHUNK, "chunk_id", chunk_ids, table)), embedder_id)
    made = [row | index_columns(row) | {"row_hash": indexed_hash(row["row_hash"])} for row in rows]
    lake.upsert(table, schema, "chunk_id", made)


def _with_vectors(lake: Lake, rows: Sequence[dict[str, Any]], embedder_id: str) -> list[dict[str, Any]]:
    keys = sorted({f"{row['text_hash']}/{embedder_id}" for row in rows})
    found = lake.rows_by_key(embeddings_table(embedder_id), ["text_hash", "vector"], "embedding_key", keys)
    vectors = {row["text_hash"]: row["vector"] for row in found}
    return [row | {"vector": vectors[row["text_hash"]]} for row in rows]
