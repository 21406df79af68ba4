"""`WS /api/chat/stream`: the events of a stream over a WebSocket, on which further questions and stops may follow."""

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError

from aion_assets.core.errors import AionError
from aion_serving.answering.generations import Generations
from aion_serving.api.chat import MAX_QUESTION_CHARS
from aion_serving.api.streaming import event_body
from aion_serving.middleware.texts import unstorable_body

router = APIRouter()
# Answers that one socket may follow at once.
_MOST_FOLLOWED = 8
# A socket on which nothing is asked and nothing written for so long is closed: there are places for few.
IDLE_S = 120.0
# Looks in vain between two heartbeats: about ten seconds.
_LOOKS_PER_HEARTBEAT = 25


class Asked(BaseModel):
    """A question, or the id of an answer to follow on, or of one to stop."""

    message: Annotated[str, Field(max_length=MAX_QUESTION_CHARS)] = ""
    request_id: str = Field("", max_length=100)
    conversation_id: str = Field("", max_length=32)
    resume: str = Field("", max_length=32)
    after: int = Field(0, ge=0)
    stop: str = Field("", max_length=32)


@router.websocket("/api/chat/stream")
async def chat_socket(socket: WebSocket) -> None:
    """Every message is an object: {message, request_id, conversation_id}, {resume, after} or {stop}. Every reply is
    {id, event, data}, as the server-sent events have them.
    """
    await socket.accept()
    generations: Generations = socket.app.state.generations
    followed: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                raw = await _received(socket)
            except TimeoutError:
                if not followed:
                    await socket.close(1001)
                    return
                continue
            try:
                begun = await _begun(generations, _read(raw), len(followed))
            except AionError as error:
                await _tell(socket, "", "error", {"error": error.what, "next_step": error.next_step})
                continue
            if begun is not None:
                following = asyncio.create_task(_follow(socket, generations, *begun))
                followed.add(following)
                following.add_done_callback(followed.discard)
    except (WebSocketDisconnect, RuntimeError):  # the reader left; the answer is finished all the same
        pass
    finally:
        for following in followed:
            following.cancel()


async def _received(socket: WebSocket) -> str:
    """The next message; "" for one that is no text. Raises TimeoutError: none came. WebSocketDisconnect: it is over."""
    message = await asyncio.wait_for(socket.receive(), IDLE_S)
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    return message.get("text") or ""


def _read(raw: str) -> Asked:
    """Raises AionError: the message is none that this socket understands."""
    next_step = 'Send {"message": "…"}, {"resume": "answer_id", "after": 0} or {"stop": "answer_id"}.'
    if wrong := unstorable_body(raw.encode("utf-8", "replace")):
        raise AionError(f"The message holds {wrong}.", "Leave it out.")
    try:
        asked = Asked.model_validate_json(raw)
    except ValidationError:
        raise AionError("The message is not as it should be.", next_step) from None
    if not (asked.message.strip() or asked.resume or asked.stop):
        raise AionError("There is no question.", next_step)
    return asked


async def _begun(generations: Generations, asked: Asked, followed: int) -> tuple[str, int] | None:
    """The stream to follow, and behind which event; None after a stop."""
    if asked.stop:
        await asyncio.to_thread(generations.stop, asked.stop)
        return None
    if followed >= _MOST_FOLLOWED:
        raise AionError(f"This socket follows {followed} answers already.", "Wait for one to end.")
    if asked.resume:
        await asyncio.to_thread(generations.require, asked.resume)
        return asked.resume, asked.after
    stream_id = await asyncio.to_thread(
        generations.start,
        asked.message,
        channel="api",
        request_id=asked.request_id,
        conversation_id=asked.conversation_id,
    )
    return stream_id, 0


async def _follow(socket: WebSocket, generations: Generations, stream_id: str, after: int) -> None:
    if after == 0:
        await _tell(socket, f"{stream_id}:0", "start", {"answer_id": stream_id})
    in_vain = 0
    async for event in generations.read(stream_id, after):
        if event is None:
            in_vain += 1
            if in_vain % _LOOKS_PER_HEARTBEAT == 0:
                await _tell(socket, "", "heartbeat", {})
            continue
        body = await asyncio.to_thread(event_body, generations, stream_id, event)
        await _tell(socket, f"{stream_id}:{event.number}", event.kind, body)


async def _tell(socket: WebSocket, event_id: str, kind: str, body: Mapping[str, Any]) -> None:
    await socket.send_text(json.dumps({"id": event_id, "event": kind, "data": dict(body)}, ensure_ascii=False))
