"""What a curator sees: the documents in a state, remarks of their parsers, and which repeat another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from aion_assets.core.curate.decisions import PENDING, STATES
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import CurationError
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import DOCUMENTS
from aion_assets.core.sources.tombstones import is_there

_BATCH = 500
_curation = tables.curation


@dataclass(frozen=True, slots=True)
class Page:
    limit: int = 100
    offset: int = 0


_FIRST = Page()


def read_queue(
    database: Database, tenant_id: str, state: str = PENDING, source_id: str = "", page: Page = _FIRST
) -> tuple[int, list[dict[str, Any]]]:
    """Total and one page of the documents in a state. Low quality comes first: it needs a person most.

    Vanished documents are left out. Raises CurationError: there is no such state.
    """
    if state not in STATES:
        raise CurationError(f"There is no state {state!r}.", f"States: {', '.join(STATES)}.")
    where = [_curation.c.tenant_id == tenant_id, _curation.c.state == state, is_there()]
    if source_id:
        where.append(_curation.c.source_id == source_id)
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(_curation).where(*where)).scalar_one()
        rows = connection.execute(
            select(_curation)
            .where(*where)
            .order_by(_curation.c.quality, _curation.c.doc_id)
            .limit(page.limit)
            .offset(page.offset)
        ).mappings()
        return total, [dict(row) for row in rows]


def add_remarks(lake: Lake, rows: Sequence[dict[str, Any]]) -> None:
    """Set `remark` of every row of the queue to what its parser noted, such as "text is cut at …", or ""."""
    keys = [row["doc_id"] for row in rows]
    remarks = {
        row["doc_id"]: row["detail"] or ""
        for row in lake.rows_by_key(DOCUMENTS.name, ["doc_id", "state", "detail"], {"doc_id": keys})
        if row["state"] == "parsed"
    }
    for row in rows:
        row["remark"] = remarks.get(row["doc_id"], "")


def note_duplicates(database: Database, source_id: str, duplicate_of: Mapping[str, str]) -> None:
    """Show the curator which documents repeat or nearly repeat another."""
    with database.write() as connection:
        shown = connection.execute(
            select(_curation.c.doc_id, _curation.c.duplicate_of)
            .where(_curation.c.source_id == source_id)
            .order_by(_curation.c.doc_id)
            .execution_options(yield_per=_BATCH)
        )
        for key in [key for key, before in shown if before != duplicate_of.get(key, "")]:
            values = {"duplicate_of": duplicate_of.get(key, "")}
            connection.execute(update(_curation).where(_curation.c.doc_id == key).values(**values))
