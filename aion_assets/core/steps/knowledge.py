"""Fill the index: the chunks of every source with their vectors, and the search structures over them."""

import time
from collections.abc import Sequence
from typing import Any

from aion_assets.core.curation import hidden
from aion_assets.core.database import Database
from aion_assets.core.diff import data_version, diff_rows
from aion_assets.core.lake import WRITE_ROWS, Lake
from aion_assets.core.records import knowledge_schema
from aion_assets.core.search.indexes import build_indexes, index_columns
from aion_assets.core.steps.embeddings import table_of as embeddings_table
from aion_assets.core.steps.report import ShowProgress, StepReport

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
    """Bring the index up to the chunks, row by row, then its search structures."""
    started = time.monotonic()
    table = table_of(embedder_id)
    removed = hidden(database, tenant_id).source_ids
    wanted = {
        row["chunk_id"]: row["row_hash"]
        for row in lake.rows("chunks", ["chunk_id", "row_hash", "source_id"])
        if row["source_id"] not in removed
    }
    stored = {row["chunk_id"]: row["row_hash"] for row in lake.rows(table, ["chunk_id", "row_hash"])}
    difference = diff_rows(stored, wanted)
    schema = knowledge_schema(dimension)
    lake.table(table, schema)
    report = StepReport()
    report.counts.update(difference.counts())
    written = 0
    for begin in range(0, len(difference.due), WRITE_ROWS):
        some = difference.due[begin : begin + WRITE_ROWS]
        rows = list(lake.rows_by_key("chunks", _CHUNK, "chunk_id", some))
        complete = _with_vectors(lake, rows, embedder_id)
        lake.upsert(table, schema, "chunk_id", [row | index_columns(row) for row in complete])
        report.drops["not_embedded"] += len(rows) - len(complete)
        written += len(complete)
        show(begin + len(some), len(difference.due), "indexing")
    lake.delete(table, "chunk_id", difference.orphaned)
    with lake.changing(table) as open_table:
        show(len(difference.due), len(difference.due), "search structures")
        build_indexes(open_table, changed_rows=written + len(difference.orphaned))

    versions = [(row["chunk_id"], row["row_hash"]) for row in lake.rows(table, ["chunk_id", "row_hash"])]
    report.rows, report.data_version = len(versions), data_version(versions)
    report.notes = {"table": table, "version": int(lake.table(table).version)}
    report.seconds = time.monotonic() - started
    return report


def _with_vectors(lake: Lake, rows: Sequence[dict[str, Any]], embedder_id: str) -> list[dict[str, Any]]:
    """Rows whose text is embedded; the others are for the run that is embedding them now."""
    keys = sorted({f"{row['text_hash']}/{embedder_id}" for row in rows})
    found = lake.rows_by_key(embeddings_table(embedder_id), ["text_hash", "vector"], "embedding_key", keys)
    vectors = {row["text_hash"]: row["vector"] for row in found}
    return [row | {"vector": vectors[row["text_hash"]]} for row in rows if row["text_hash"] in vectors]
