"""Hands out what was collected from folders and uploads, so that a citation of it can be opened in a browser."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from aion_assets.core import curation, schema
from aion_assets.core.collect.media import HTML, media_type
from aion_assets.core.database import Database
from aion_assets.core.lake import Lake, quoted
from aion_assets.core.parse.charset import declared_in_content_type, declared_in_markup, decode
from aion_serving.assistant import Assistant
from aion_serving.problems import Problem, RefusedError
from aion_serving.shared_state import CurrentAssistant

router = APIRouter(tags=["Knowledge"])

_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg"})
# Read as text whatever they are: no browser runs or asks about plain text.
_AS_TEXT = frozenset({"text/plain", "text/markdown", "text/csv", "text/tab-separated-values", "application/json"})
_HTML = frozenset({HTML, "application/xhtml+xml"})
# A page of somebody else's making, under our own address: it may show itself and nothing more.
_HTML_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


@router.get(
    "/kb/items/{doc_id}/original",
    summary="The collected file of a document",
    response_class=Response,
    responses={404: {"model": Problem}},
)
def original(doc_id: Annotated[str, Path(max_length=64)], assistant: CurrentAssistant) -> Response:
    """As it was collected last; of approved documents only. Types that browsers do not show are downloads."""
    if not _is_shown(assistant, doc_id):
        raise _not_there(doc_id)
    page = _page(assistant.lake, doc_id)
    if page is None:
        raise _not_there(doc_id)
    kind = media_type(page["content_type"] or "")
    name = page["filename"] or doc_id
    if kind in _HTML:
        headers = {"content-security-policy": _HTML_POLICY} | _disposition("inline", name)
        declared = declared_in_content_type(page["content_type"] or "") or declared_in_markup(page["body"])
        return Response(decode(page["body"], declared), media_type=HTML, headers=headers)
    if kind in _AS_TEXT:
        return Response(decode(page["body"]), media_type="text/plain", headers=_disposition("inline", name))
    if kind in _SHOWN:
        return Response(page["body"], media_type=kind, headers=_disposition("inline", name))
    return Response(page["body"], media_type="application/octet-stream", headers=_disposition("attachment", name))


def _is_shown(assistant: Assistant, doc_id: str) -> bool:
    found = _state(assistant.database, assistant.settings.tenant_id, doc_id)
    return found == curation.APPROVED and doc_id not in assistant.tombstones.hidden().doc_ids


def _state(database: Database, tenant_id: str, doc_id: str) -> str | None:
    from sqlalchemy import select

    table = schema.curation
    with database.read() as connection:
        return connection.execute(
            select(table.c.state).where(table.c.tenant_id == tenant_id, table.c.doc_id == doc_id)
        ).scalar()


def _page(lake: Lake, doc_id: str) -> dict[str, Any] | None:
    document = next(lake.rows("documents", ["source_id", "location_id"], f"doc_id = {quoted(doc_id)}"), None)
    if document is None:
        return None
    key = quoted(f"{document['source_id']}/{document['location_id']}")
    if not lake.count("pages", f"page_key = {key} AND content_hash <> ''"):
        return None
    return next(lake.rows("bodies", ["content_type", "filename", "body"], f"page_key = {key}"), None)


def _disposition(how: str, name: str) -> dict[str, str]:
    return {"content-disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}"}


def _not_there(doc_id: str) -> RefusedError:
    return RefusedError(404, f"There is no approved document {doc_id!r}.", "GET /kb/items lists what there is.")
