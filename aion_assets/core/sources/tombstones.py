"""Tombstones: what no release may show any more, and why: rejected, gone, removed or forgotten.

A subject may have several reasons. Each is taken back only by its counterpart: an approval takes back a rejection,
never a forget. Every change raises one counter in its transaction. A reader that remembers the count knows whether
anything changed, whatever the clocks of two processes say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, now


class Reason(StrEnum):
    REJECTED = "rejected"
    GONE = "gone"
    REMOVED = "removed"
    FORGOTTEN = "forgotten"


_DOCUMENT, _SOURCE = "document", "source"
_COUNTER = "tombstones"
_BATCH = 500
_tombstones, _curation, _revisions = tables.tombstones, tables.curation, tables.revisions


@dataclass(frozen=True, slots=True)
class Hidden:
    """What no release may show any more, as of one revision."""

    doc_ids: frozenset[str]
    source_ids: frozenset[str]
    revision: int = 0


def is_there() -> ColumnElement[bool]:
    """True for rows whose document is there. A decision outlives its document, which may come back."""
    of_documents = (_tombstones.c.reason == Reason.GONE, _tombstones.c.scope == _DOCUMENT)
    return _curation.c.doc_id.not_in(select(_tombstones.c.subject).where(*of_documents))


def read_revision(database: Database, tenant_id: str) -> int:
    """0 before the first tombstone."""
    with database.read() as connection:
        return _revision(connection, tenant_id)


def read_hidden(database: Database, tenant_id: str) -> Hidden:
    with database.read() as connection:
        return hidden_in(connection, tenant_id)


def hidden_in(connection: Connection, tenant_id: str, known: Hidden | None = None) -> Hidden:
    """As of now; `known` itself where nothing changed since."""
    # Read the revision first: a tombstone set in between is then found at the next read.
    revision = _revision(connection, tenant_id)
    if known is not None and known.revision == revision:
        return known
    asked = select(_tombstones.c.scope, _tombstones.c.subject).where(_tombstones.c.tenant_id == tenant_id)
    rows = connection.execute(asked).all()
    return Hidden(
        frozenset(row.subject for row in rows if row.scope == _DOCUMENT),
        frozenset(row.subject for row in rows if row.scope == _SOURCE),
        revision,
    )


def reasons_by_document(database: Database, tenant_id: str, doc_ids: Sequence[str]) -> dict[str, list[str]]:
    """doc_id → reasons, for those of the documents that are hidden."""
    these = (_tombstones.c.tenant_id == tenant_id, _tombstones.c.scope == _DOCUMENT, _tombstones.c.subject.in_(doc_ids))
    asked = select(_tombstones.c.subject, _tombstones.c.reason).where(*these).order_by(_tombstones.c.reason)
    reasons: dict[str, list[str]] = {}
    with database.read() as connection:
        for row in connection.execute(asked):
            reasons.setdefault(row.subject, []).append(row.reason)
    return reasons


def hide_documents(connection: Connection, tenant_id: str, doc_ids: Sequence[str], reason: Reason) -> None:
    """Call it last in a transaction: others that hide or show anything wait for its end."""
    _hide(connection, tenant_id, _DOCUMENT, doc_ids, reason)


def hide_source(connection: Connection, tenant_id: str, source_id: str) -> None:
    """Call it last in a transaction, as `hide_documents`."""
    _hide(connection, tenant_id, _SOURCE, [source_id], Reason.REMOVED)


def show_documents(connection: Connection, tenant_id: str, doc_ids: Sequence[str], reason: Reason) -> None:
    """Take back this reason and no other. Call it last in a transaction, as `hide_documents`."""
    found = [
        subject
        for begin in range(0, len(doc_ids), _BATCH)
        for subject in connection.execute(
            select(_tombstones.c.subject).where(*_of(tenant_id, _DOCUMENT, reason, doc_ids[begin : begin + _BATCH]))
        ).scalars()
    ]
    if not found:
        return
    _next_revision(connection, tenant_id)
    for begin in range(0, len(found), _BATCH):
        some = found[begin : begin + _BATCH]
        connection.execute(delete(_tombstones).where(*_of(tenant_id, _DOCUMENT, reason, some)))


def _hide(connection: Connection, tenant_id: str, scope: str, subjects: Sequence[str], reason: Reason) -> None:
    if not subjects:
        return
    revision = _next_revision(connection, tenant_id)
    known: set[str] = set()
    for begin in range(0, len(subjects), _BATCH):
        here = _of(tenant_id, scope, reason, subjects[begin : begin + _BATCH])
        known.update(connection.execute(select(_tombstones.c.subject).where(*here)).scalars())
    stamp = {"tenant_id": tenant_id, "scope": scope, "reason": str(reason), "revision": revision, "created_at": now()}
    fresh = [{"subject": subject, **stamp} for subject in dict.fromkeys(subjects) if subject not in known]
    if fresh:
        connection.execute(insert(_tombstones), fresh)


def _of(tenant_id: str, scope: str, reason: Reason, subjects: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    these = (_tombstones.c.tenant_id == tenant_id, _tombstones.c.scope == scope, _tombstones.c.subject.in_(subjects))
    return (*these, _tombstones.c.reason == str(reason))


def _revision(connection: Connection, tenant_id: str) -> int:
    asked = select(_revisions.c.value).where(*_counter(tenant_id))
    return connection.execute(asked).scalar() or 0


def _next_revision(connection: Connection, tenant_id: str) -> int:
    raised = update(_revisions).where(*_counter(tenant_id)).values(value=_revisions.c.value + 1)
    value = connection.execute(raised.returning(_revisions.c.value)).scalar()
    if value is None:
        value = 1
        connection.execute(insert(_revisions).values(tenant_id=tenant_id, name=_COUNTER, value=value))
    return int(value)


def _counter(tenant_id: str) -> tuple[ColumnElement[bool], ...]:
    return (_revisions.c.tenant_id == tenant_id, _revisions.c.name == _COUNTER)
