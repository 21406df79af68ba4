"""Fill the table `embeddings`: embed every text once per embedder, however many documents and sources hold it.

Vectors that cannot be read are dropped and made anew from the chunks. Until then the index keeps the rows that it has.
"""

import logging
import time
from collections.abc import Iterator

import pyarrow as pa

from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder, LoadEmbedder
from aion_assets.core.index.soundness import damage_of, written
from aion_assets.core.lake.diff import counted_version
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import CHUNKS, embeddings_name, embeddings_table
from aion_assets.core.sources import progress
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.report import StepReport

# Texts that are looked up, sorted by length and embedded together. A kill loses so many at most.
_WINDOW = 2_048
_log = logging.getLogger(__name__)


def embed_source(run: SourceRun, embedder_id: str, load: LoadEmbedder) -> StepReport:
    drop_damaged_vectors(run.home, embedder_id)
    with run.lake.lock(f"embed-{run.source_id}"), progress.noted(run.database, run.source_id, progress.EMBEDDED):
        return _embed(run, embedder_id, load)


def drop_damaged_vectors(home: Home, embedder_id: str, *, odd_counts: bool = False) -> str:
    """Drop the vectors of this embedder if they cannot be read, after every source was made due, whose next runs embed
    its texts again. Says what was damaged, "" where nothing was.

    Vectors of a wrong length are dropped only where `odd_counts`, as for a person who asks for a repair: a run shows
    them as a broken claim and releases nothing.
    """
    table = embeddings_name(embedder_id)
    with home.lake.lock("vectors"):
        # Looked at twice: files of a version that another run has just replaced may be gone.
        damage = damage_of(home.lake, table, odd_counts=odd_counts)
        damage = damage and damage_of(home.lake, table, odd_counts=odd_counts)
        if damage:
            progress.request_all(home.database)
            home.lake.drop(table)
            _log.warning("The vectors in %s were damaged and are made anew. %s", table, damage)
    return damage


def _embed(run: SourceRun, embedder_id: str, load: LoadEmbedder) -> StepReport:
    lake, of_source = run.lake, run.of_source
    started = time.monotonic()
    table = embeddings_name(embedder_id)
    total = lake.count(CHUNKS.name, of_source)
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
            target = embeddings_table(embedder_id, embedder.dimension)
            rows = pa.table(
                {
                    "embedding_key": [f"{key}/{embedder_id}" for key in missing],
                    "text_hash": missing,
                    "embedder_id": [embedder_id] * len(missing),
                    "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), embedder.dimension),
                },
                schema=target.schema,
            )
            lake.upsert(target, rows)
        report.counts["embedded"] += len(missing)
        report.counts["cached"] += len(window) - len(missing)
        done += len(window)
        run.show(done, total, "embedding")
    if report.counts["embedded"]:
        written(lake, table)
    report.rows, report.data_version = counted_version(
        (row["chunk_id"], f"{row['row_hash']}/{embedder_id}")
        for row in lake.rows(CHUNKS.name, ["chunk_id", "row_hash"], of_source)
    )
    report.seconds = time.monotonic() - started
    return report


def _windows(lake: Lake, of_source: str) -> Iterator[dict[str, str]]:
    """text_hash → text, at most _WINDOW at a time."""
    window: dict[str, str] = {}
    for row in lake.rows(CHUNKS.name, ["text_hash", "embed_text"], of_source):
        window[row["text_hash"]] = row["embed_text"]
        if len(window) >= _WINDOW:
            yield window
            window = {}
    if window:
        yield window


def _missing(lake: Lake, table: str, embedder_id: str, hashes: list[str]) -> list[str]:
    keys = [f"{key}/{embedder_id}" for key in hashes]
    found = {row["embedding_key"] for row in lake.rows_by_key(table, ["embedding_key"], {"embedding_key": keys})}
    return [key for key in hashes if f"{key}/{embedder_id}" not in found]
