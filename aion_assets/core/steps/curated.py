"""Fill the table `curated_documents`: the approved documents, each a primary or a duplicate of one."""

import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aion_assets.core.collect.uploads import DUMPS
from aion_assets.core.curate.decisions import APPROVED, PENDING, REJECTED, decisions_of, register_documents
from aion_assets.core.curate.history import newest_decision
from aion_assets.core.curate.moves import follow_moves, note_page_hashes
from aion_assets.core.curate.near_duplicates import near_duplicates
from aion_assets.core.curate.queue import note_duplicates
from aion_assets.core.database.engine import Database
from aion_assets.core.ids import short_digest
from aion_assets.core.lake.conditions import both, is_in
from aion_assets.core.lake.diff import RowSetVersion, diff_rows
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import CURATED_DOCUMENTS, DOCUMENTS
from aion_assets.core.sources import progress
from aion_assets.core.sources.progress import bump_requested
from aion_assets.core.sources.tombstones import read_hidden
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.documents import IS_PARSED, shown_version
from aion_assets.core.steps.report import StepReport

_DOCUMENT = ["doc_id", "content_hash", "first_seen", "title", "url", "lang", "quality"]
_JUDGED = [*_DOCUMENT, "page_hash", "detail"]
# Texts in memory at once. One text may have megabytes.
_READ_TEXTS = 32
# (first seen, doc_id). The earliest location is the primary, whichever source or run looks at it.
Rank = tuple[Any, str]


def curate_source(run: SourceRun) -> StepReport:
    """Put new documents into the queue and approved ones into the table."""
    # One source at a time: two sources with the same content must not both make it a primary.
    with run.lake.lock("curate"), progress.noted(run.database, run.source_id, progress.CURATED):
        return _curate(run)


def _curate(run: SourceRun) -> StepReport:
    lake, database, source = run.lake, run.database, run.source
    started, since = time.monotonic(), newest_decision(database)
    of_source = both(run.of_source, IS_PARSED)
    parts = lake.ranges("doc_id", DOCUMENTS.name, where=of_source)
    approved: set[str] = set()
    for part in parts:
        found = lake.rows(DOCUMENTS.name, _JUDGED, both(of_source, part))
        documents = {row["doc_id"]: row | {"handed_in": _is_handed_in(run, row["url"])} for row in found}
        register_documents(database, source, documents, lambda keys: _texts(lake, keys), part)
        note_page_hashes(database, source.source_id, {key: row["page_hash"] for key, row in documents.items()})
        decisions = decisions_of(database, source.source_id, part)
        approved |= {key for key in documents if decisions[key].state == APPROVED}
    moved = follow_moves(database, source, since)
    approved = (approved | {key for key, state in moved.items() if state == APPROVED}) - {
        key for key, state in moved.items() if state != APPROVED
    }

    primary_of, contested = _primaries(run, of_source, approved)
    fingerprints = lake.rows(DOCUMENTS.name, ["doc_id", "simhash"], of_source)
    near = near_duplicates((row["doc_id"], row["simhash"]) for row in fingerprints)
    _ask_again(database, contested)
    report, version = StepReport(), RowSetVersion()
    for part in parts:
        decisions = decisions_of(database, source.source_id, part)
        rows = {}
        for document in lake.rows(DOCUMENTS.name, _DOCUMENT, both(of_source, part)):
            key = document["doc_id"]
            decision = decisions.get(key)
            # Decisions may have changed meanwhile.
            if key not in approved or decision is None or decision.state != APPROVED:
                continue
            rows[key] = {
                "doc_id": key,
                "tenant_id": source.tenant_id,
                "source_id": source.source_id,
                "content_hash": document["content_hash"],
                "duplicate_of": primary_of.get(key, ""),
                "near_duplicate_of": near.get(key, ""),
                "first_seen": document["first_seen"],
                "decided_by": decision.decided_by,
                "decided_at": decision.decided_at,
                "run_id": run.run_id,
            }
            if key not in primary_of:
                version.add(key, shown_version(document["content_hash"], document))
        _write(run, part, rows, report)
        report.counts.update(decision.state for decision in decisions.values())
    report.rows, report.data_version = version.rows, str(version)
    note_duplicates(database, source.source_id, primary_of | near)
    report.counts["near_duplicates"] = len(near)
    report.counts["moved"] = len(moved)
    report.drops.update({state: report.counts[state] for state in (PENDING, REJECTED)})
    report.drops["duplicate"] = len(primary_of)
    report.seconds = time.monotonic() - started
    return report


def _is_handed_in(run: SourceRun, url: str) -> bool:
    """Whether somebody handed in this file, who may put another in its place. A page at a link changes by itself."""
    if run.source.kind == "jsonl":
        return Path(run.source.address).is_relative_to(run.settings.home / DUMPS)
    return run.source.kind == "uploads" and url.startswith("file:")


def _write(run: SourceRun, part: str, rows: dict[str, dict[str, Any]], report: StepReport) -> None:
    """Bring one range of the table up to `rows`."""
    lake = run.lake
    where = both(run.of_source, part)
    stored = {row["doc_id"]: row for row in lake.rows(CURATED_DOCUMENTS.name, CURATED_DOCUMENTS.schema.names, where)}
    difference = diff_rows(
        {key: _fingerprint(row) for key, row in stored.items()}, {key: _fingerprint(row) for key, row in rows.items()}
    )
    report.counts.update(difference.counts())
    gone = [key for key, row in stored.items() if key not in rows or rows[key]["content_hash"] != row["content_hash"]]
    _ask_again(run.database, heirs(lake, run.source_id, gone))
    lake.upsert(CURATED_DOCUMENTS, [rows[key] for key in difference.due])
    lake.delete(CURATED_DOCUMENTS.name, "doc_id", difference.orphaned)


def _ask_again(database: Database, source_ids: set[str]) -> None:
    """Make sources with the same content choose again where a primary comes or goes. Call it before the table changes,
    so that a kill in between does not lose them.
    """
    if source_ids:
        with database.write() as connection:
            bump_requested(connection, sorted(source_ids))


def _texts(lake: Lake, keys: list[str]) -> Iterable[tuple[str, str]]:
    for row in lake.rows_by_key(DOCUMENTS.name, ["doc_id", "text"], {"doc_id": keys}, at_once=_READ_TEXTS):
        yield row["doc_id"], row["text"]


def _primaries(run: SourceRun, of_source: str, approved: set[str]) -> tuple[dict[str, str], set[str]]:
    """doc_id → its primary, for the duplicates; and the other sources whose primary loses its place to one of these."""
    lake = run.lake
    not_here = read_hidden(run.database, run.home.tenant_id).source_ids | {run.source_id}
    elsewhere = f"NOT {is_in('source_id', sorted(not_here))} AND duplicate_of = ''"
    columns = ["doc_id", "source_id", "content_hash", "first_seen"]
    primary_of: dict[str, str] = {}
    contested: set[str] = set()
    for part in lake.ranges("content_hash", DOCUMENTS.name, where=of_source):
        own: dict[str, list[Rank]] = defaultdict(list)
        for row in lake.rows(DOCUMENTS.name, columns, both(of_source, part)):
            if row["doc_id"] in approved:
                own[row["content_hash"]].append((row["first_seen"], row["doc_id"]))
        first = {content: min(ranks) for content, ranks in own.items()}
        for row in lake.rows(CURATED_DOCUMENTS.name, columns, both(elsewhere, part)):
            best, rank = first.get(row["content_hash"]), (row["first_seen"], row["doc_id"])
            if best is None:
                continue
            if min(own[row["content_hash"]]) < rank:
                contested.add(row["source_id"])
            first[row["content_hash"]] = min(best, rank)
        for content, ranks in own.items():
            primary = first[content][1]
            primary_of.update({key: primary for _, key in ranks if key != primary})
    return primary_of, contested


def heirs(lake: Lake, source_id: str, gone: list[str]) -> set[str]:
    """The other sources that have duplicates of one of these documents."""
    return {
        row["source_id"]
        for row in lake.rows_by_key(CURATED_DOCUMENTS.name, ["source_id"], {"duplicate_of": gone})
        if row["source_id"] != source_id
    }


def _fingerprint(row: dict[str, Any]) -> str:
    return short_digest(row["content_hash"], row["duplicate_of"], row["near_duplicate_of"], row["decided_by"])
