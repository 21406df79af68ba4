"""The decision history of a document: who decided what, when, why, and on which version of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select

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


def decision_history(database: Database, tenant_id: str, doc_id: str) -> list[Mapping[str, Any]]:
    """The oldest decision first. The history outlives the document and its source."""
    here = (_decisions.c.tenant_id == tenant_id, _decisions.c.doc_id == doc_id)
    asked = select(*(_decisions.c[name] for name in _KEPT)).where(*here).order_by(_decisions.c.decision_id)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(asked).mappings()]
