"""A decision follows the content: a file that was renamed, or a page that moved, keeps the decision on what it says."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update

from aion_assets.core.curate.decisions import APPROVED, AUTO_APPROVE, PENDING, REJECTED
from aion_assets.core.curate.history import note_decisions, numbers_of
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.records import Source
from aion_assets.core.sources.tombstones import is_there

_curation, _decisions = tables.curation, tables.decisions
_TAKEN_OVER = ("state", "decided_by", "decided_at", "reason", "tags")


def note_page_hashes(database: Database, source_id: str, pages: Mapping[str, str]) -> None:
    """Record of which bytes the documents are (doc_id → hash). Rows of older homes do not know it."""
    if not pages:
        return
    with database.write() as connection:
        asked = select(_curation.c.doc_id, _curation.c.page_hash).where(_curation.c.source_id == source_id)
        known = {row.doc_id: row.page_hash for row in connection.execute(asked)}
        for key in sorted(key for key, page in pages.items() if known.get(key, page) != page):
            connection.execute(update(_curation).where(_curation.c.doc_id == key).values(page_hash=pages[key]))


def follow_moves(database: Database, source: Source, since: int) -> dict[str, str]:
    """Give undecided documents the decision on a vanished one of the same source with the same bytes, or the same title
    and text. Call it when all documents of the source are registered; the run began when `since` was the
    number of the newest decision.

    What a rule approved in this run gives way to a person's rejection, too. Returns doc_id → state of those that moved.
    """
    of_source = (_curation.c.tenant_id == source.tenant_id, _curation.c.source_id == source.source_id)
    in_this_run = select(_decisions.c.doc_id).where(_decisions.c.decision_id > since)
    by_rule = and_(_curation.c.decided_by == AUTO_APPROVE, _curation.c.doc_id.in_(in_this_run))
    waits = and_(_curation.c.state == PENDING, _curation.c.decided_by == "")
    with database.write() as connection:
        gone = select(_curation).where(*of_source, _curation.c.state.in_((APPROVED, REJECTED)), ~is_there())
        vanished = [dict(row) for row in connection.execute(gone).mappings()]
        if not vanished:
            return {}
        numbers = numbers_of(connection, _decisions.c.source_id == source.source_id)
        vanished.sort(key=lambda row: (numbers.get(row["doc_id"], 0), row["decided_at"]))  # the newest stands last
        decided = {row[name]: row for name in ("content_hash", "page_hash") for row in vanished if row[name]}
        new = select(_curation).where(*of_source, or_(waits, by_rule), _curation.c.moved_from == "", is_there())
        moved: dict[str, str] = {}
        found = connection.execute(new.order_by(_curation.c.doc_id).with_for_update()).mappings()
        for row in [dict(row) for row in found]:
            before = decided.get(row["page_hash"]) or decided.get(row["content_hash"])
            if before is not None and _takes_over(row, before):
                _take_over(connection, row["doc_id"], before)
                moved[row["doc_id"]] = before["state"]
    return moved


def _takes_over(row: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    if row["state"] == PENDING:
        return True
    return bool(before["state"] == REJECTED and before["decided_by"] != AUTO_APPROVE)


def _take_over(connection: Connection, key: str, before: Mapping[str, Any]) -> None:
    values = {name: before[name] for name in _TAKEN_OVER} | {"moved_from": before["doc_id"]}
    connection.execute(update(_curation).where(_curation.c.doc_id == key).values(**values))
    note_decisions(connection, _curation.c.doc_id == key)
