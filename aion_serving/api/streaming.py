"""The answer as it is written, over server-sent events."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from aion_assets.core.record.answers import AnswerRecord
from aion_serving.answering.assistant import Assistant
from aion_serving.api.chat import MAX_QUESTION_CHARS, Question
from aion_serving.api.replies import answer_reply
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import NOT_BLANK, Problem

router = APIRouter(tags=["Questions"])
SSE_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


@router.get("/api/chat/stream", summary="Answer a question, piece by piece", responses={503: {"model": Problem}})
def stream(
    assistant: CurrentAssistant,
    message: Annotated[str, Query(min_length=1, max_length=MAX_QUESTION_CHARS, pattern=NOT_BLANK)],
) -> StreamingResponse:
    """Server-sent events: `text` with `{text}` for every further part, then `answer` with the whole answer as
    `POST /api/chat` gives it, or `error` with `{error, next_step}`.
    """
    return _streamed(assistant, message)


@router.post("/api/chat/stream", summary="Answer a question, piece by piece", responses={503: {"model": Problem}})
def stream_posted(question: Question, assistant: CurrentAssistant) -> StreamingResponse:
    """As `GET /api/chat/stream`."""
    return _streamed(assistant, question.message)


def _streamed(assistant: Assistant, question: str) -> StreamingResponse:
    assistant.release()  # refused with a status where there is none
    pieces = assistant.stream(question)
    return StreamingResponse(_events(pieces), media_type="text/event-stream", headers=SSE_HEADERS)


def _events(pieces: Iterator[str | AnswerRecord]) -> Iterator[str]:
    number = 0
    for number, piece in enumerate(pieces, start=1):
        if isinstance(piece, str):
            yield _event(number, "text", {"text": piece})
        else:
            yield _event(number, "answer", answer_reply(piece).model_dump())


def _event(number: int, kind: str, body: Mapping[str, Any]) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"
