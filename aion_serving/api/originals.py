"""Serve the files of folders and uploads as they were collected, so that a browser can open a citation."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from aion_assets.core.curate.decisions import APPROVED
from aion_assets.core.fetch.media import HTML, media_type
from aion_assets.core.parse.charset import declared_in_content_type, declared_in_markup, decode
from aion_assets.core.trust.original import decision_on, original_of
from aion_serving.answering.assistant import Assistant
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem, RefusedError

router = APIRouter(tags=["Knowledge"])

_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg"})
# Served as plain text: no browser runs it or offers a download.
_AS_TEXT = frozenset({"text/plain", "text/markdown", "text/csv", "text/tab-separated-values", "application/json"})
_HTML = frozenset({HTML, "application/xhtml+xml"})
# A foreign page under AION's own address: it may show itself and nothing more.
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
    page = original_of(assistant.home, doc_id)
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
    found = decision_on(assistant.home, doc_id)
    return found == APPROVED and doc_id not in assistant.known.hidden().doc_ids


def _disposition(how: str, name: str) -> dict[str, str]:
    return {"content-disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}"}


def _not_there(doc_id: str) -> RefusedError:
    return RefusedError(404, f"There is no approved document {doc_id!r}.", "GET /kb/items lists what there is.")
