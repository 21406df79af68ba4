"""Fill the index: the chunks of every source with their vectors, and their search structures."""

import time
from collections.abc import Sequence
from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.index.analysis import index_columns
from aion_assets.core.index.contents import indexed_hash, waiting_documents, wanted_rows
from aion_assets.core.index.soundness import repair_index, written
from aion_assets.core.index.structures import build_indexes
from aion_assets.core.lake.diff import counted_version, diff_rows
from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.lake.store import WRITE_ROWS, Lake
from aion_assets.core.lake.tables import CHUNKS, LakeTable, embeddings_name, embeddings_table, knowledge_table
from aion_assets.core.release.releases import list_releases
from aion_assets.core.release.retire import KEPT_RELEASES
from aion_assets.core.sources import progress
from aion_assets.core.sources.tombstones import read_hidden
from aion_assets.core.steps.embeddings import drop_damaged_vectors
from aion_assets.core.steps.report import ShowProgress, StepReport, silent

_CHUNK = [
    "chunk_id", "doc_id", "tenant_id", "source_id", "doc_version", "position", "start", "end", "page", "heading",
    "fragment", "lang", "title", "url", "text", "context", "text_hash", "row_hash",
]  # fmt: skip


def build_index(home: Home, embedder_id: str, dimension: int, show: ShowProgress = silent) -> StepReport:
    """Update the rows of the index from the chunks, then its search structures.

    Other runs may write meanwhile, so the index reads the chunks and vectors of one moment. A document with a chunk
    that had no vector at that moment keeps the rows it has.
    """
    with home.lake.lock(INDEX_LOCK):
        return _build(home, embedder_id, dimension, show)


def _build(home: Home, embedder_id: str, dimension: int, show: ShowProgress) -> StepReport:
    lake, database = home.lake, home.database
    started = time.monotonic()
    index = knowledge_table(embedder_id, dimension)
    table = index.name
    vectors = embeddings_table(embedder_id, dimension)
    drop_damaged_vectors(home, embedder_id)
    embedded = progress.reached_now(database, progress.EMBEDDED)
    repaired = repair_index(lake, table, [row.tag for row in list_releases(database, home.tenant_id, KEPT_RELEASES)])
    # Make missing tables, so that the tags can name their empty version.
    lake.grown(CHUNKS)
    lake.grown(vectors)
    lake.set_tag(CHUNKS.name, table)
    lake.set_tag(vectors.name, table)
    lake.grown(index)
    removed = read_hidden(database, home.tenant_id).source_ids
    waiting = waiting_documents(lake, embedder_id, removed)
    report = StepReport()
    report.drops["waiting_documents"] = len(waiting)
    total, compared = lake.count(CHUNKS.name), 0
    due: list[str] = []
    orphaned: list[str] = []
    for part in lake.ranges("chunk_id", CHUNKS.name, table):
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
            _write(lake, embedder_id, index, some)
            show(compared - len(due), total, "indexing")
        if len(orphaned) >= WRITE_ROWS:
            lake.delete(table, "chunk_id", orphaned)
            orphaned = []
    _write(lake, embedder_id, index, due)
    lake.delete(table, "chunk_id", orphaned)
    with lake.changing(table) as open_table:
        show(compared, compared, "search structures")
        build_indexes(open_table, changed_rows=sum(report.counts[name] for name in ("new", "changed", "orphaned")))
    written(lake, table)
    with database.write() as connection:
        progress.mark_reached(connection, progress.INDEXED, embedded)

    report.rows, report.data_version = counted_version(
        (row["chunk_id"], row["row_hash"]) for row in lake.rows(table, ["chunk_id", "row_hash"])
    )
    report.notes = {"table": table, "version": int(lake.table(table).version)}
    report.counts["repaired"] = int(bool(repaired))
    report.seconds = time.monotonic() - started
    return report


def _write(lake: Lake, embedder_id: str, index: LakeTable, chunk_ids: Sequence[str]) -> None:
    found = lake.rows_by_key(CHUNKS.name, _CHUNK, {"chunk_id": chunk_ids}, index.name)
    rows = _with_vectors(lake, list(found), embedder_id)
    made = [row | index_columns(row) | {"row_hash": indexed_hash(row["row_hash"])} for row in rows]
    lake.upsert(index, made)


def _with_vectors(lake: Lake, rows: Sequence[dict[str, Any]], embedder_id: str) -> list[dict[str, Any]]:
    keys = sorted({f"{row['text_hash']}/{embedder_id}" for row in rows})
    found = lake.rows_by_key(embeddings_name(embedder_id), ["text_hash", "vector"], {"embedding_key": keys})
    vectors = {row["text_hash"]: row["vector"] for row in found}
    return [row | {"vector": vectors[row["text_hash"]]} for row in rows]
