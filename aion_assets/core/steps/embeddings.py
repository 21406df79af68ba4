"""Fill the table `embeddings`: every text once per embedder, whichever document or source it stands in."""

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aion_assets.core import progress
from aion_assets.core.database import Database
from aion_assets.core.diff import counted_version
from aion_assets.core.lake import Lake, quoted
from aion_assets.core.records import Source, embeddings_schema
from aion_assets.core.steps.report import ShowProgress, StepReport

TABLE = "embeddings"
# Texts looked up, sorted by length and embedded together; what a kill may cost at most.
_WINDOW = 2_048


class Embedder(Protocol):
    embedder_id: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
    def embed_query(self, text: str) -> NDArray[np.float32]: ...


class LoadEmbedder(Protocol):
    """Called only when there is something to embed: loading a model costs seconds."""

    def __call__(self) -> Embedder: ...


def table_of(embedder_id: str) -> str:
    """Vectors of different embedders differ in length, so each has its table."""
    return f"{TABLE}-{_plain(embedder_id)}"


def _plain(embedder_id: str) -> str:
    return "".join(char if char.isalnum() or char in "._" else "-" for char in embedder_id)


def embed_source(
    lake: Lake, database: Database, source: Source, embedder_id: str, load: LoadEmbedder, show: ShowProgress
) -> StepReport:
    with lake.turn(f"embed-{source.source_id}"), progress.noted(database, source.source_id, progress.EMBEDDED):
        return _embed(lake, source, embedder_id, load, show)


def _embed(lake: Lake, source: Source, embedder_id: str, load: LoadEmbedder, show: ShowProgress) -> StepReport:
    started = time.monotonic()
    table = table_of(embedder_id)
    of_source = f"source_id = {quoted(source.source_id)}"
    total = lake.count("chunks", of_source)
    report = StepReport()
    done = 0
    embedder: Embedder | None = None
    for window in _windows(lake, of_source):
        missing = _missing(lake, table, embedder_id, list(window))
        if missing:
            embedder = embedder or load()
            embed_started = time.monotonic()
            vectors = embedder.embed([window[key] for key in missing])
            report.notes["embed_seconds"] = (
                float(report.notes.get("embed_seconds", 0.0)) + time.monotonic() - embed_started
            )
            schema = embeddings_schema(embedder.dimension)
            rows = pa.table(
                {
                    "embedding_key": [f"{key}/{embedder_id}" for key in missing],
                    "text_hash": missing,
                    "embedder_id": [embedder_id] * len(missing),
                    "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), embedder.dimension),
                },
                schema=schema,
            )
            lake.upsert(table, schema, "embedding_key", rows)
        report.counts["embedded"] += len(missing)
        report.counts["cached"] += len(window) - len(missing)
        done += len(window)
        show(done, total, "embedding")
    report.rows, report.data_version = counted_version(
        (row["chunk_id"], f"{row['row_hash']}/{embedder_id}")
        for row in lake.rows("chunks", ["chunk_id", "row_hash"], of_source)
    )
    report.seconds = time.monotonic() - started
    return report


def _windows(lake: Lake, of_source: str) -> Iterator[dict[str, str]]:
    """text_hash → text, at most _WINDOW at a time."""
    window: dict[str, str] = {}
    for row in lake.rows("chunks", ["text_hash", "embed_text"], of_source):
        window[row["text_hash"]] = row["embed_text"]
        if len(window) >= _WINDOW:
            yield window
            window = {}
    if window:
        yield window


def _missing(lake: Lake, table: str, embedder_id: str, hashes: list[str]) -> list[str]:
    keys = [f"{key}/{embedder_id}" for key in hashes]
    found = {row["embedding_key"] for row in lake.rows_by_key(table, ["embedding_key"], "embedding_key", keys)}
    return [key for key in hashes if f"{key}/{embedder_id}" not in found]
