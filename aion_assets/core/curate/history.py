"""The decision history of a document: who decided what, when, why, and on which version of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database

_curation, _decisions = tables.curation, tables.decisions
_KEPT = (
    "tenant_id", "doc_id", "source_id", "state", "decided_by", "decided_at", "reason", "tags", "content_hash",
)  # fmt: skip


def note_decisions(connection: Connection, which: ColumnElement[bool]) -> None:
    """Add the present rows of `curation` to the history, in the transaction of the decision."""
    now_there = select(*(_curation.c[name] for name in _KEPT)).where(which).order_by(_curation.c.doc_id)
    connection.execute(insert(_decisions).from_select(_KEPT, now_there))


def newest_decision(database: Database) -> int:
    """Number of the newest decision, 0 before the first. Numbers grow, whatever clocks do."""
    with database.read() as connection:
        return connection.execute(select(func.max(_decisions.c.decision_id))).scalar() or 0


def numbers_of(connection: Connection, which: ColumnElement[bool]) -> dict[str, int]:
    """doc_id → number of its newest decision, for the rows of the history for which `which` holds."""
    number = func.max(_decisions.c.decision_id)
    asked = select(_decisions.c.doc_id, number).where(which).group_by(_decisions.c.doc_id)
    return {doc_id: int(found) for doc_id, found in connection.execute(asked)}


def decision_history(database: Database, tenant_id: str, doc_id: str) -> list[Mapping[str, Any]]:
    """The oldest decision first. The history outlives the document and its source."""
    here = (_decisions.c.tenant_id == tenant_id, _decisions.c.doc_id == doc_id)
    asked = select(*(_decisions.c[name] for name in _KEPT)).where(*here).order_by(_decisions.c.decision_id)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]
