"""Fill the table `curated_documents`: the approved documents, each a primary or the duplicate of one."""

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aion_assets.core import curation, progress, sources
from aion_assets.core.database import Database
from aion_assets.core.diff import data_version, diff_rows
from aion_assets.core.ids import short_digest
from aion_assets.core.lake import Lake, both, is_in, quoted
from aion_assets.core.quality import near_duplicates
from aion_assets.core.records import CURATED_DOCUMENTS, Source
from aion_assets.core.steps.documents import IS_PARSED, shown_version
from aion_assets.core.steps.report import StepReport

TABLE = "curated_documents"
_DOCUMENT = ["doc_id", "content_hash", "simhash", "first_seen", "title", "url", "lang", "quality"]
_HASHES_PER_LOOKUP = 1_000
# Texts in memory at once; one may have megabytes.
_READ_TEXTS = 32
# (first seen, doc_id): the earliest location is the primary, whichever source or run looks at it.
Rank = tuple[Any, str]


def curate_source(lake: Lake, database: Database, source: Source, run_id: str) -> StepReport:
    """Bring new documents before the curator and the approved ones into the table."""
    # One source at a time: two that hold the same content must not both take it for a primary.
    with lake.turn("curate"), progress.noted(database, source.source_id, progress.CURATED):
        return _curate(lake, database, source, run_id)


def _curate(lake: Lake, database: Database, source: Source, run_id: str) -> StepReport:
    started = time.monotonic()
    of_source = f"source_id = {quoted(source.source_id)}"
    documents = {row["doc_id"]: row for row in lake.rows("documents", _DOCUMENT, both(of_source, IS_PARSED))}
    curation.register_documents(database, source, documents, lambda keys: _texts(lake, keys))
    decisions = curation.decisions(database, source.source_id)
    approved = {key: row for key, row in documents.items() if decisions[key].state == curation.APPROVED}

    not_here = curation.hidden(database, source.tenant_id).source_ids | {source.source_id}
    elsewhere = f"NOT {is_in('source_id', sorted(not_here))}"
    primaries, contested = _primaries(lake, elsewhere, approved)
    near = near_duplicates({key: row["simhash"] for key, row in documents.items()})
    rows = {}
    for key, row in approved.items():
        primary = primaries[row["content_hash"]]
        rows[key] = {
            "doc_id": key,
            "tenant_id": source.tenant_id,
            "source_id": source.source_id,
            "content_hash": row["content_hash"],
            "duplicate_of": "" if primary == key else primary,
            "near_duplicate_of": near.get(key, ""),
            "first_seen": row["first_seen"],
            "decided_by": decisions[key].decided_by,
            "decided_at": decisions[key].decided_at,
            "run_id": run_id,
        }
    stored = {row["doc_id"]: row for row in lake.rows(TABLE, CURATED_DOCUMENTS.names, of_source)}
    difference = diff_rows(
        {key: _fingerprint(row) for key, row in stored.items()}, {key: _fingerprint(row) for key, row in rows.items()}
    )
    lake.upsert(TABLE, CURATED_DOCUMENTS, "doc_id", [rows[key] for key in difference.due])
    lake.delete(TABLE, "doc_id", difference.orphaned)
    duplicates = {key: primaries[row["content_hash"]] for key, row in approved.items()}
    curation.note_duplicates(database, source.source_id, {k: p for k, p in duplicates.items() if k != p} | near)

    # Where a primary came or went, sources that hold the same content must choose again.
    gone = [key for key, row in stored.items() if key not in rows or rows[key]["content_hash"] != row["content_hash"]]
    with database.write() as connection:
        sources.bump_requested(connection, sorted(contested | heirs(lake, source.source_id, gone)))

    report = StepReport(seconds=time.monotonic() - started)
    report.counts.update(difference.counts())
    for decision in decisions.values():
        report.counts[decision.state] += 1
    report.counts["near_duplicates"] = len(near)
    report.drops.update({state: report.counts[state] for state in (curation.PENDING, curation.REJECTED)})
    report.drops["duplicate"] = sum(bool(row["duplicate_of"]) for row in rows.values())
    kept = [
        (key, shown_version(row["content_hash"], row)) for key, row in approved.items() if not rows[key]["duplicate_of"]
    ]
    report.rows, report.data_version = len(kept), data_version(kept)
    return report


def _texts(lake: Lake, keys: list[str]) -> Iterable[tuple[str, str]]:
    for row in lake.rows_by_key("documents", ["doc_id", "text"], "doc_id", keys, at_once=_READ_TEXTS):
        yield row["doc_id"], row["text"]


def _primaries(lake: Lake, elsewhere: str, approved: dict[str, dict[str, Any]]) -> tuple[dict[str, str], set[str]]:
    """content_hash → doc_id of its primary, and the other sources whose primary loses that place to one of these.

    `elsewhere` selects the rows of the other sources.
    """
    own: dict[str, list[Rank]] = defaultdict(list)
    for key, row in approved.items():
        own[row["content_hash"]].append((row["first_seen"], key))
    others: dict[str, list[tuple[Rank, str]]] = defaultdict(list)
    hashes = sorted(own)
    for begin in range(0, len(hashes), _HASHES_PER_LOOKUP):
        where = is_in("content_hash", hashes[begin : begin + _HASHES_PER_LOOKUP])
        where += f" AND {elsewhere} AND duplicate_of = ''"
        for row in lake.rows(TABLE, ["doc_id", "source_id", "content_hash", "first_seen"], where):
            others[row["content_hash"]].append(((row["first_seen"], row["doc_id"]), row["source_id"]))
    primaries, contested = {}, set()
    for content, ranks in own.items():
        best = min(ranks)
        for rank, other_source in others[content]:
            if best < rank:
                contested.add(other_source)
        primaries[content] = min(best, *(rank for rank, _ in others[content]))[1] if others[content] else best[1]
    return primaries, contested


def heirs(lake: Lake, source_id: str, gone: list[str]) -> set[str]:
    """The other sources with documents that repeat one of these."""
    return {
        row["source_id"]
        for row in lake.rows_by_key(TABLE, ["source_id"], "duplicate_of", gone)
        if row["source_id"] != source_id
    }


def _fingerprint(row: dict[str, Any]) -> str:
    return short_digest(row["content_hash"], row["duplicate_of"], row["near_duplicate_of"], row["decided_by"])
