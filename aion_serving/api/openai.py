"""The OpenAI protocol over the knowledge base, so that any of its clients can ask."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from aion_assets.core.answer.wording import wording
from aion_assets.core.record.answers import AnswerRecord
from aion_assets.core.record.streams import Kind
from aion_serving.answering.generations import Generations
from aion_serving.api.chat import MAX_QUESTION_CHARS
from aion_serving.api.openai_form import ChatMessage, completion, completion_chunk, embeddings, model_list
from aion_serving.api.replies import AnswerReply, answer_reply
from aion_serving.api.shared_state import CurrentAssistant, CurrentGenerations
from aion_serving.api.streaming import SSE_HEADERS
from aion_serving.middleware.problems import Problem

router = APIRouter(tags=["Questions"])
MODEL = "aion"
_MAX_TEXTS = 256
_UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": Problem}}


class ChatRequest(BaseModel):
    """Of the OpenAI protocol AION takes the messages. The rest is the operator's, not the caller's, to choose."""

    model: str = MODEL
    messages: list[ChatMessage] = Field(min_length=1, max_length=512)
    stream: bool = False


class EmbeddingRequest(BaseModel):
    model: str = ""
    input: str | list[str]
    encoding_format: str = "float"


@router.post(
    "/v1/chat/completions",
    summary="Answer in the OpenAI protocol",
    response_model=None,
    responses={503: {"model": Problem}},
)
def chat_completions(
    asked: ChatRequest, assistant: CurrentAssistant, generations: CurrentGenerations
) -> dict[str, Any] | StreamingResponse | JSONResponse:
    """The last message of the user is the question; the answer comes from the knowledge base, with its sources listed
    below the text, and in full in the field `citations`. Earlier messages of the user are what it may lean on.
    """
    question, *before = [message.text for message in reversed(asked.messages) if message.role == "user"] or [""]
    if not question.strip():
        said = {"message": "There is no question.", "type": "invalid_request_error", "code": "no_question"}
        return JSONResponse({"error": said}, 400)
    if asked.stream:
        started = generations.start(question[:MAX_QUESTION_CHARS], channel="openai", before=before)
        return StreamingResponse(_chunks(generations, started), media_type="text/event-stream", headers=SSE_HEADERS)
    record = assistant.ask(question[:MAX_QUESTION_CHARS], channel="openai", before=before)
    reply = answer_reply(record, assistant.addresses.of_document)
    text = f"{record.text}{_sources(reply)}"
    return completion(f"chatcmpl-{record.answer_id}", MODEL, text, "stop", _usage(record), **_more(reply))


@router.get("/v1/models", summary="List what answers in the OpenAI protocol")
def models() -> dict[str, Any]:
    return model_list([{"id": MODEL}])


@router.post("/v1/embeddings", summary="Embed texts in the OpenAI protocol", response_model=None)
def embed(asked: EmbeddingRequest, assistant: CurrentAssistant) -> dict[str, Any] | JSONResponse:
    """With the model of the current release. `base64` packs float32 in little-endian order."""
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    if not 0 < len(texts) <= _MAX_TEXTS:
        said = {"message": f"Send 1 to {_MAX_TEXTS} texts.", "type": "invalid_request_error", "code": "invalid_input"}
        return JSONResponse({"error": said}, 400)
    return embeddings(assistant.release().retriever.embedder, texts, asked.encoding_format)


async def _chunks(generations: Generations, stream_id: str) -> AsyncIterator[str]:
    answer_id = f"chatcmpl-{stream_id}"
    delta: dict[str, Any] = {"role": "assistant"}
    async for event in generations.read(stream_id):
        if event is None:
            continue
        if event.kind is Kind.TEXT:
            yield _data(completion_chunk(answer_id, MODEL, {**delta, "content": event.text}))
            delta = {}
        elif event.kind is Kind.ERROR:
            yield _data({"error": {"message": event.text, "type": "server_error", "code": None}})
        else:
            record = await asyncio.to_thread(generations.record, stream_id)
            reply = await asyncio.to_thread(answer_reply, record, generations.addresses.of_document)
            if sources := _sources(reply):
                yield _data(completion_chunk(answer_id, MODEL, {"content": sources}))
            yield _data(completion_chunk(answer_id, MODEL, {}, "stop", usage=_usage(record), **_more(reply)))
    yield "data: [DONE]\n\n"


def _data(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _sources(reply: AnswerReply) -> str:
    """Below the text, for clients that show nothing else."""
    listed = [f"[{item.number}] {item.title or item.url} – {item.url}" for item in reply.citations]
    return "\n\n" + "\n".join([wording(reply.language).sources, *listed]) if listed else ""


def _more(reply: AnswerReply) -> dict[str, Any]:
    body = reply.model_dump()
    return {"citations": body.pop("citations"), "aion": {name: body[name] for name in body if name != "text"}}


def _usage(record: AnswerRecord) -> dict[str, int]:
    total = record.prompt_tokens + record.completion_tokens
    return {
        "prompt_tokens": record.prompt_tokens,
        "completion_tokens": record.completion_tokens,
        "total_tokens": total,
    }
