"""Fill the table `chunks`: cut every approved primary. A changed document rewrites only the chunks that differ."""

import time
from collections import Counter
from collections.abc import Container, Iterator
from typing import Any

from aion_assets.core.errors import StalledError
from aion_assets.core.ids import chunk_id, short_digest, text_hash
from aion_assets.core.index.chunker import chunk_document, surroundings
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.lake.conditions import both, quoted
from aion_assets.core.lake.diff import RowDiff, counted_version, diff_rows
from aion_assets.core.lake.store import WRITE_ROWS, Lake
from aion_assets.core.lake.tables import CHUNKS, CURATED_DOCUMENTS, DOCUMENTS
from aion_assets.core.process.patience import patience
from aion_assets.core.records import Anchor
from aion_assets.core.sources import progress
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.documents import IS_PARSED, PARSED, quarantine, shown_version
from aion_assets.core.steps.report import StepReport

_READ_DOCUMENTS = 32
_DOCUMENT = ["doc_id", "state", "content_hash", "title", "lang", "url", "text", "anchors"]


def chunk_source(run: SourceRun, model: EmbeddingModel, code_version: str) -> StepReport:
    with run.lake.lock(f"chunk-{run.source_id}"), progress.noted(run.database, run.source_id, progress.CHUNKED):
        return _chunk(run, model, code_version)


def _chunk(run: SourceRun, model: EmbeddingModel, code_version: str) -> StepReport:
    lake, of_source = run.lake, run.of_source
    started = time.monotonic()
    # The embedder's token window decides where chunks end.
    version = f"{code_version}/{model.embedder_id}"
    difference = RowDiff()
    for part in lake.ranges("doc_id", DOCUMENTS.name, CURATED_DOCUMENTS.name, CHUNKS.name, where=of_source):
        difference.add(diff_rows(_stored(lake, of_source, part), _wanted(lake, of_source, part, version)))
    report = StepReport()
    report.counts.update({f"documents_{name}": count for name, count in difference.counts().items()})
    writer = _ChunkWriter(lake, report, set(difference.changed))
    due = lake.rows_by_key(DOCUMENTS.name, _DOCUMENT, {"doc_id": difference.due}, at_once=_READ_DOCUMENTS)
    for done, document in enumerate(due, 1):
        is_parsed = document["state"] == PARSED  # it may have been quarantined since
        writer.add(document["doc_id"], _chunks_in_time(run, document, model, version) if is_parsed else [])
        run.show(done, len(difference.due), "cutting")
    writer.flush()
    lake.delete(CHUNKS.name, "doc_id", difference.orphaned)

    report.rows, report.data_version = counted_version(
        (row["chunk_id"], row["row_hash"]) for row in lake.rows(CHUNKS.name, ["chunk_id", "row_hash"], of_source)
    )
    report.seconds = time.monotonic() - started
    return report


def _wanted(lake: Lake, of_source: str, part: str, version: str) -> dict[str, str]:
    """doc_id → fingerprint of the input of each primary's chunks, as it should be."""
    # An approved document that was quarantined since has no text to cut, until it is curated again.
    is_primary = both(of_source, f"duplicate_of = {quoted('')}")
    primaries = {row["doc_id"] for row in lake.rows(CURATED_DOCUMENTS.name, ["doc_id"], both(is_primary, part))}
    documents = lake.rows(
        DOCUMENTS.name, ["doc_id", "content_hash", "lang", "url"], both(both(of_source, IS_PARSED), part)
    )
    return {
        row["doc_id"]: f"{version}/{shown_version(row['content_hash'], row)}"
        for row in documents
        if row["doc_id"] in primaries
    }


def _stored(lake: Lake, of_source: str, part: str) -> dict[str, str]:
    """doc_id → fingerprint of the input of its stored chunks; "" when a kill left two generations side by side."""
    stored: dict[str, str] = {}
    for row in lake.rows(CHUNKS.name, ["doc_id", "doc_version", "lang", "url", "code_version"], both(of_source, part)):
        fingerprint = f"{row['code_version']}/{shown_version(row['doc_version'], row)}"
        stored[row["doc_id"]] = fingerprint if stored.get(row["doc_id"], fingerprint) == fingerprint else ""
    return stored


class _ChunkWriter:
    """Commits all chunks of a document at once, so that no reader sees half of them. Small documents share a commit."""

    def __init__(self, lake: Lake, report: StepReport, changed: Container[str]) -> None:
        """`changed`: documents that have chunks already."""
        self._lake = lake
        self._report = report
        self._changed = changed
        self._documents: list[str] = []
        self._rows: list[dict[str, Any]] = []

    def add(self, document: str, rows: list[dict[str, Any]]) -> None:
        self._documents.append(document)
        self._rows += rows
        if len(self._rows) >= WRITE_ROWS or len(self._documents) >= WRITE_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write every row: its document version changed. `changed` counts those that the index must update."""
        known = [document for document in self._documents if document in self._changed]
        found = self._lake.rows_by_key(CHUNKS.name, ["chunk_id", "row_hash"], {"doc_id": known})
        before = {row["chunk_id"]: row["row_hash"] for row in found}
        self._lake.upsert(CHUNKS, self._rows)
        for row in self._rows:
            earlier = before.pop(row["chunk_id"], None)
            self._report.counts[
                "new" if earlier is None else "unchanged" if earlier == row["row_hash"] else "changed"
            ] += 1
        self._lake.delete(CHUNKS.name, "chunk_id", list(before))
        self._report.counts["orphaned"] += len(before)
        self._documents, self._rows = [], []


def _chunks_in_time(
    run: SourceRun, document: dict[str, Any], model: EmbeddingModel, version: str
) -> list[dict[str, Any]]:
    """No rows for a document that cannot be cut in the time that parsing it may take; it is quarantined."""
    try:
        with patience(run.settings.parse_timeout_s, "Cutting its text into chunks"):
            return list(_chunk_rows(run, document, model, version))
    except StalledError as error:
        quarantine(run, document, str(error))
        return []


def _chunk_rows(
    run: SourceRun, document: dict[str, Any], model: EmbeddingModel, version: str
) -> Iterator[dict[str, Any]]:
    anchors = [Anchor(**anchor) for anchor in document["anchors"] or ()]
    seen: Counter[str] = Counter()
    for position, chunk in enumerate(chunk_document(document["text"], document["title"], anchors, model)):
        occurrence = seen[chunk.text]
        seen[chunk.text] += 1
        row = {
            "chunk_id": chunk_id(document["doc_id"], chunk.text, occurrence),
            "doc_id": document["doc_id"],
            "tenant_id": run.source.tenant_id,
            "source_id": run.source_id,
            "doc_version": document["content_hash"],
            "position": position,
            "start": chunk.start,
            "end": chunk.end,
            "page": chunk.page,
            "heading": chunk.heading,
            "fragment": chunk.fragment,
            "token_count": chunk.token_count,
            "lang": document["lang"] or "",
            "title": document["title"],
            "url": document["url"],
            "text": chunk.text,
            "embed_text": chunk.embed_text,
            "context": surroundings(document["text"], chunk.start, chunk.end),
            "text_hash": text_hash(chunk.embed_text),
            "code_version": version,
            "run_id": run.run_id,
        }
        # doc_version is part of the hash: a citation names the version of its document.
        shown = (
            str(row[name]) for name in CHUNKS.schema.names if name in row and name not in ("code_version", "run_id")
        )
        yield row | {"row_hash": short_digest(*shown)}
