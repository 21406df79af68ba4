"""The collected file or page that a document was made from."""

from typing import Any

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.tables import BODIES, DOCUMENTS, PAGES


def decision_on(home: Home, doc_id: str) -> str | None:
    """The state of a document in the queue; None where there is no such document."""
    here = (tables.curation.c.tenant_id == home.tenant_id, tables.curation.c.doc_id == doc_id)
    with home.database.read() as connection:
        return connection.execute(select(tables.curation.c.state).where(*here)).scalar()


def original_of(home: Home, doc_id: str) -> dict[str, Any] | None:
    """{content_type, filename, body}; None where the body is no longer stored."""
    lake = home.lake
    document = next(lake.rows(DOCUMENTS.name, ["source_id", "location_id"], f"doc_id = {quoted(doc_id)}"), None)
    if document is None:
        return None
    key = quoted(f"{document['source_id']}/{document['location_id']}")
    if not lake.count(PAGES.name, f"page_key = {key} AND content_hash <> ''"):
        return None
    return next(lake.rows(BODIES.name, ["content_type", "filename", "body"], f"page_key = {key}"), None)
