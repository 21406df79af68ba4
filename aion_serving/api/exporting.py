"""Routes that hand out what was recorded, as files of one JSON object a line."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from aion_assets.core.learn.export import event_lines, sft_lines
from aion_serving.api.shared_state import CurrentAssistant

router = APIRouter(prefix="/api/export", tags=["Export"])
_FORM = "application/x-ndjson"
Day = Annotated[date | None, Query(description="A day in AION_TIMEZONE, which is included.")]


@router.get("/events", summary="Events as JSON lines", response_class=StreamingResponse)
def events(assistant: CurrentAssistant, since: Day = None, until: Day = None) -> StreamingResponse:
    """{event_id, kind, answer_id, created_at, body} a line: ids and figures, never a text."""
    return _file("events.jsonl", event_lines(assistant.home, since, until))


@router.get("/sft", summary="Training rows as JSON lines", response_class=StreamingResponse)
def sft(assistant: CurrentAssistant) -> StreamingResponse:
    """{messages: [system, user, assistant], answer_id, split, language, doc_ids} a line; no answers judged bad, and
    none with personal data.
    """
    return _file("sft.jsonl", sft_lines(assistant.home))


def _file(name: str, lines: Iterator[str]) -> StreamingResponse:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type=_FORM, headers=headers)
