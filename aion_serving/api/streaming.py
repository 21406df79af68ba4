"""The answer as it is written, over server-sent events that can be resumed, stopped, and started twice without harm."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from aion_assets.core.record.streams import Kind, StreamEvent
from aion_serving.answering.generations import Generations
from aion_serving.api.chat import MAX_QUESTION_CHARS, Question
from aion_serving.api.replies import answer_reply
from aion_serving.api.shared_state import CurrentGenerations
from aion_serving.middleware.problems import NOT_BLANK, Problem

router = APIRouter(tags=["Questions"])
SSE_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": Problem}}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}
# Looks in vain between two heartbeats: about ten seconds.
_LOOKS_PER_HEARTBEAT = 25
_RETRY = "retry: 1000\n\n"

LastEventId = Annotated[
    str, Header(description="The last event that was received, as browsers send it.", max_length=64)
]
StreamId = Annotated[str, Path(description="As the event `start` named it: the id of the answer.", max_length=32)]


class StreamQuestion(Question):
    request_id: str = Field(
        "", max_length=100, description="Your own id of this request. A start repeated with it joins the same answer."
    )


class Stopped(BaseModel):
    stopping: bool = Field(description="False: the answer had ended already.")


@router.get("/api/chat/stream", summary="Answer a question, piece by piece", responses=_UNREADY)
def stream(
    generations: CurrentGenerations,
    message: Annotated[str, Query(min_length=1, max_length=MAX_QUESTION_CHARS, pattern=NOT_BLANK)],
    request_id: Annotated[str, Query(max_length=100)] = "",
    conversation_id: Annotated[str, Query(max_length=32)] = "",
    last_event_id: LastEventId = "",
) -> StreamingResponse:
    """Server-sent events: `start` with the id of the answer, `text` with every further part, and as the last one
    `answer` with the whole answer as `POST /api/chat` gives it, or `error` with `{error, next_step}`.

    Every event has an id. A browser's EventSource that lost its connection comes back with the last one, and goes on
    from there.
    """
    stream_id, _, number = last_event_id.partition(":")
    if stream_id and number.isdigit():
        generations.require(stream_id)
        return _streamed(generations, stream_id, int(number))
    started = generations.start(message, channel="api", request_id=request_id, conversation_id=conversation_id)
    return _streamed(generations, started, 0)


@router.post("/api/chat/stream", summary="Answer a question, piece by piece", responses=_UNREADY)
def stream_posted(question: StreamQuestion, generations: CurrentGenerations) -> StreamingResponse:
    """As `GET /api/chat/stream`."""
    started = generations.start(
        question.message,
        channel="api",
        request_id=question.request_id,
        conversation_id=question.conversation_id,
    )
    return _streamed(generations, started, 0)


@router.get("/api/chat/stream/{answer_id}", summary="Resume a stream", responses=_UNKNOWN)
def resume(
    answer_id: StreamId,
    generations: CurrentGenerations,
    after: Annotated[int, Query(ge=0, description="Number of the last event received, from its id.")] = 0,
    last_event_id: LastEventId = "",
) -> StreamingResponse:
    """The events behind the last one received; all of them without one. A stream is kept for an hour after its end."""
    stream_id, _, number = last_event_id.partition(":")
    seen = int(number) if stream_id == answer_id and number.isdigit() else after
    generations.require(answer_id)
    return _streamed(generations, answer_id, seen)


@router.post("/api/chat/stream/{answer_id}/stop", summary="Stop an answer", responses=_UNKNOWN)
def stop(answer_id: StreamId, generations: CurrentGenerations) -> Stopped:
    """What was written stays, and the answer is recorded as cancelled. Leaving a stream does not stop it."""
    return Stopped(stopping=generations.stop(answer_id))


def _streamed(generations: Generations, stream_id: str, after: int) -> StreamingResponse:
    events = _events(generations, stream_id, after)
    return StreamingResponse(events, media_type="text/event-stream", headers=SSE_HEADERS)


async def _events(generations: Generations, stream_id: str, after: int) -> AsyncIterator[str]:
    yield _RETRY
    if after == 0:
        yield _event(stream_id, 0, "start", {"answer_id": stream_id})
    in_vain = 0
    async for event in generations.read(stream_id, after):
        if event is None:
            in_vain += 1
            if in_vain % _LOOKS_PER_HEARTBEAT == 0:
                yield ": still writing\n\n"
        else:
            body = await asyncio.to_thread(event_body, generations, stream_id, event)
            yield _event(stream_id, event.number, event.kind, body)


def event_body(generations: Generations, stream_id: str, event: StreamEvent) -> Mapping[str, Any]:
    if event.kind is Kind.TEXT:
        return {"text": event.text}
    if event.kind is Kind.ERROR:
        return {"error": event.text, "next_step": "Ask again."}
    return answer_reply(generations.record(stream_id), generations.addresses.of_document).model_dump()


def _event(stream_id: str, number: int, kind: str, body: Mapping[str, Any]) -> str:
    return f"id: {stream_id}:{number}\nevent: {kind}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"
