"""Decisions on documents: pending until a person, or the source's own policy, approves or rejects them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, TextClause, delete, insert, select, text, update

from aion_assets.core.curate.history import note_decisions
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, now
from aion_assets.core.database.prefixes import full_id
from aion_assets.core.errors import CurationError
from aion_assets.core.records import AWAITS_PERSON, Source
from aion_assets.core.sources.progress import bump_requested
from aion_assets.core.sources.tombstones import Reason, hide_documents, show_documents

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
STATES = (PENDING, APPROVED, REJECTED)
AUTO_APPROVE = "policy:auto-approve"
REPLACED = "policy:replaced"
EXCERPT_CHARS = 300
# Documents of lower quality wait for a person even in a trusted source: single words, rulers, empty tables. Prose
# scores well above this.
MIN_AUTO_QUALITY = 0.2
# A change of one of these updates the document's row in the queue. The content hash covers title and text.
_VERSION = ("content_hash", "quality", "url", "lang")
_BATCH = 500

_curation = tables.curation


@dataclass(slots=True)
class Decision:
    state: str
    decided_by: str
    decided_at: datetime | None


def decisions_of(database: Database, source_id: str, part: str = "") -> dict[str, Decision]:
    """Of the documents of a source, or of those in one of the lake's ranges of doc_id."""
    columns = (_curation.c.doc_id, _curation.c.state, _curation.c.decided_by, _curation.c.decided_at)
    with database.read() as connection:
        rows = connection.execute(select(*columns).where(*_of_source(source_id, part))).all()
    return {row.doc_id: Decision(row.state, row.decided_by, row.decided_at) for row in rows}


def register_documents(
    database: Database,
    source: Source,
    documents: Mapping[str, Mapping[str, Any]],
    texts: Callable[[list[str]], Iterable[tuple[str, str]]],
    part: str = "",
) -> None:
    """Bring the queue up to the documents: new ones enter it, vanished ones leave the index.

    `documents` are all of the source, or all of it in one of the lake's ranges of doc_id. A document keeps its decision
    when its content changes, except one whose row says `handed_in`: that asks for a new one, unless the source is
    trusted. `texts` is called only for new or changed documents. People decide while this runs, so
    every write carries its precondition.
    """
    columns = (_curation.c.doc_id, *(_curation.c[name] for name in _VERSION))
    with database.read() as connection:
        found = connection.execute(select(*columns).where(*_of_source(source.source_id, part))).all()
    known = {row.doc_id: row._asdict() for row in found}
    # Lock in one order, as deciding does, so that the two never deadlock.
    due = sorted(key for key, row in documents.items() if key not in known or _version(known[key]) != _version(row))
    for begin in range(0, len(due), _BATCH):
        some = due[begin : begin + _BATCH]
        shown = {key: _view(documents[key], text) for key, text in texts(some)}
        doubted = replace(source, auto_approve=False)
        judged_by = {key: doubted if _awaits_person(documents[key]) else source for key in some}
        with database.write() as connection:
            for key in some:
                if key in known:
                    _show_again(connection, judged_by[key], key, shown[key])
            fresh = [_new_row(judged_by[key], key, shown[key]) for key in some if key not in known]
            if fresh:
                connection.execute(insert(_curation), fresh)
            decided = [row["doc_id"] for row in fresh if row["state"] != PENDING]
            note_decisions(connection, _curation.c.doc_id.in_(decided))
            replaced = [key for key in some if key in known and _is_replaced(source, known[key], documents[key])]
            hide_documents(connection, source.tenant_id, _doubt(connection, replaced), Reason.REJECTED)
    vanished = [key for key in known if key not in documents]
    with database.write() as connection:
        decided = _decided_of(connection, vanished)
        _delete_pending(connection, vanished)
        hide_documents(connection, source.tenant_id, decided, Reason.GONE)
        show_documents(connection, source.tenant_id, [key for key in documents if key in known], Reason.GONE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides: approved, rejected or pending again. `tags` None leaves those there are."""

    state: str
    by: str
    reason: str = ""
    tags: Sequence[str] | None = None


def decide(database: Database, tenant_id: str, doc_ids: Sequence[str], verdict: Verdict) -> int:
    """Takes effect in search at once (rejection) or with the next run (approval).

    Returns how many decisions changed. Raises CurationError: a document is not known; then nothing is changed.
    """
    state, reason, tags = verdict.state, verdict.reason, verdict.tags
    if state not in STATES:
        raise CurationError(f"A decision cannot be {state!r}.", "Give approved, rejected or pending.")
    with database.write() as connection:
        found: dict[str, Any] = {}
        ordered = sorted(doc_ids)  # one order, so that two deciders never deadlock
        for begin in range(0, len(ordered), _BATCH):
            where = (_curation.c.tenant_id == tenant_id, _curation.c.doc_id.in_(ordered[begin : begin + _BATCH]))
            asked = select(_curation).where(*where).order_by(_curation.c.doc_id).with_for_update()
            found.update({row.doc_id: row for row in connection.execute(asked)})
        missing = [key for key in doc_ids if key not in found]
        if missing:
            raise CurationError(f"No document has the id {missing[0]!r}.", "See 'aion curate list' for the ids.")
        changed = [
            key
            for key in doc_ids
            if found[key].state != state or tags is not None or (reason and found[key].reason != reason)
        ]
        for begin in range(0, len(changed), _BATCH):
            values = {"state": state, "decided_by": verdict.by, "decided_at": now(), "reason": reason}
            if tags is not None:
                values["tags"] = list(tags)
            some = changed[begin : begin + _BATCH]
            connection.execute(update(_curation).where(_curation.c.doc_id.in_(some)).values(**values))
            note_decisions(connection, _curation.c.doc_id.in_(some))
        bump_requested(connection, sorted({found[key].source_id for key in changed}))
        if state == APPROVED:
            show_documents(connection, tenant_id, changed, Reason.REJECTED)
        else:
            was_approved = [key for key in changed if found[key].state == APPROVED]
            hide_documents(connection, tenant_id, was_approved, Reason.REJECTED)
    return len(changed)


def full_ids(database: Database, tenant_id: str, given: Sequence[str]) -> list[str]:
    """The ids with these beginnings, once each. Raises PrefixError: a beginning is too short or fits several ids."""
    of_tenant = _curation.c.tenant_id == tenant_id
    return list(dict.fromkeys(full_id(database, _curation.c.doc_id, item, of_tenant) for item in given))


def _of_source(source_id: str, part: str) -> list[ColumnElement[bool] | TextClause]:
    return [_curation.c.source_id == source_id, *([text(part)] if part else [])]


def _version(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] or "" for name in _VERSION} | {"quality": round(float(row["quality"]), 6)}


def _view(row: Mapping[str, Any], text: str) -> dict[str, Any]:
    shown = {"title": row["title"], "chars": len(text), "excerpt": text[:EXCERPT_CHARS]}
    return _version(row) | shown | {"page_hash": row.get("page_hash") or ""}


def _is_replaced(source: Source, known: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether somebody put another content in the place of what was decided on."""
    another = known["content_hash"] not in ("", row["content_hash"])
    return bool(row.get("handed_in")) and another and not source.auto_approve


def _doubt(connection: Connection, doc_ids: Sequence[str]) -> list[str]:
    """Let the approved ones among these wait for a decision again; returns them."""
    these = (_curation.c.doc_id.in_(doc_ids), _curation.c.state == APPROVED)
    values = {"state": PENDING, "decided_by": REPLACED, "decided_at": now(), "reason": "Its content was replaced."}
    asked = update(_curation).where(*these).values(**values).returning(_curation.c.doc_id)
    doubted = [*connection.execute(asked).scalars()] if doc_ids else []
    note_decisions(connection, _curation.c.doc_id.in_(doubted))
    return doubted


def _awaits_person(row: Mapping[str, Any]) -> bool:
    """Whether the parser remarked that no rule may approve the document."""
    return AWAITS_PERSON in (row.get("detail") or "")


def _new_row(source: Source, key: str, view: dict[str, Any]) -> dict[str, Any]:
    row = {"doc_id": key, "tenant_id": source.tenant_id, "source_id": source.source_id, "created_at": now()}
    return row | _first_decision(source, view) | {"reason": "", "tags": [], "duplicate_of": "", "moved_from": ""} | view


def _first_decision(source: Source, view: Mapping[str, Any]) -> dict[str, Any]:
    if source.auto_approve and view["quality"] >= MIN_AUTO_QUALITY:
        return {"state": APPROVED, "decided_by": AUTO_APPROVE, "decided_at": now()}
    return {"state": PENDING, "decided_by": "", "decided_at": None}


def _show_again(connection: Connection, source: Source, key: str, view: dict[str, Any]) -> None:
    # Rows of older homes have no content hash: their text may be the same, so this is no new version.
    undecided = (_curation.c.state == PENDING, _curation.c.decided_by == "", _curation.c.content_hash != "")
    values = _first_decision(source, view)
    decided = connection.execute(update(_curation).where(_curation.c.doc_id == key, *undecided).values(**values))
    connection.execute(update(_curation).where(_curation.c.doc_id == key).values(**view))
    if decided.rowcount and values["state"] != PENDING:
        note_decisions(connection, _curation.c.doc_id == key)


def _decided_of(connection: Connection, doc_ids: Sequence[str]) -> list[str]:
    """The decided ones among `doc_ids`. Locks them all: no decision on them is made until the transaction ends."""
    decided: list[str] = []
    ordered = sorted(doc_ids)
    for begin in range(0, len(ordered), _BATCH):
        these = _curation.c.doc_id.in_(ordered[begin : begin + _BATCH])
        locked = select(_curation.c.doc_id, _curation.c.state).where(these).order_by(_curation.c.doc_id)
        found = connection.execute(locked.with_for_update())
        decided += [row.doc_id for row in found if row.state != PENDING]
    return decided


def _delete_pending(connection: Connection, doc_ids: Sequence[str]) -> None:
    for begin in range(0, len(doc_ids), _BATCH):
        some = _curation.c.doc_id.in_(doc_ids[begin : begin + _BATCH])
        connection.execute(delete(_curation).where(some, _curation.c.state == PENDING))
