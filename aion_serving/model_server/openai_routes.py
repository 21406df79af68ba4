"""The OpenAI protocol over the plain model: chat completions, embeddings, models. No passages, no citations."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from aion_assets.core.errors import ContextTooLongError
from aion_serving.api.openai_form import ChatMessage, completion, completion_chunk, embeddings, model_list
from aion_serving.model_server.plain_routes import MAX_TEXTS, until_hung_up
from aion_serving.model_server.served import CurrentModel, ServedModel, stamp_of

router = APIRouter(prefix="/v1")
# In the words of the protocol.
_FINISH = {"stop": "stop", "length": "length", "timeout": "length", "cancelled": "stop", "failed": "error"}


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatRequest(BaseModel):
    """The part of the protocol that the model understands. Anything else is ignored."""

    model: str = ""
    messages: list[ChatMessage] = Field(min_length=1, max_length=512)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=8192)
    max_completion_tokens: int | None = Field(None, ge=1, le=8192)
    temperature: float = Field(0.6, ge=0, le=2)
    top_p: float = Field(0.9, gt=0, le=1)
    repetition_penalty: float = Field(1.05, ge=0.5, le=2)
    stop: str | list[str] | None = None
    seed: int | None = None

    def limits(self, timeout_s: float) -> Any:
        from trainer.generation import Limits

        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Limits(
            max_new_tokens=self.max_completion_tokens or self.max_tokens or 512,
            stop=tuple(stop[:16]),
            timeout_s=timeout_s,
            temperature=self.temperature,
            top_p=self.top_p,
            repetition_penalty=self.repetition_penalty,
            seed=self.seed,
        )


class EmbeddingRequest(BaseModel):
    model: str = ""
    input: str | list[str]
    encoding_format: str = "float"


@router.get("/models")
async def models(model: CurrentModel) -> dict[str, Any]:
    return model_list([{"id": model.name, "max_model_len": model.generator.base.context_tokens}])


@router.post("/chat/completions", response_model=None)
async def chat_completions(
    asked: ChatRequest, model: CurrentModel, request: Request
) -> dict[str, Any] | StreamingResponse | JSONResponse:
    messages = [message.plain() for message in asked.messages]
    try:
        # Rendered here, so that what is too long is refused with a status and not in the middle of a stream.
        tokens = model.generator.count_tokens(messages)
        _refuse_too_long(tokens, model.generator.base.context_tokens)
    except ContextTooLongError as error:
        return _too_long(error)
    answer_id = f"chatcmpl-{uuid.uuid4().hex}"
    if asked.stream:
        events = _events(model, messages, asked, answer_id)
        return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
    text, end = "", None
    answer = model.answer(messages, asked.limits(model.settings.answer_timeout_s))
    try:
        async for said in until_hung_up(answer, request):
            if hasattr(said, "text"):
                text += said.text
            else:
                end = said
    finally:
        await answer.aclose()  # type: ignore[attr-defined]
    if end is None or end.error:
        return JSONResponse({"error": {"message": "The model failed.", "type": "server_error", "code": None}}, 503)
    return completion(answer_id, model.name, text, _FINISH[end.reason], _usage(end), **_stamped(model, end))


@router.post("/embeddings", response_model=None)
def embed(asked: EmbeddingRequest, model: CurrentModel) -> dict[str, Any] | JSONResponse:
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    if not 0 < len(texts) <= MAX_TEXTS:
        return _bad(f"Send 1 to {MAX_TEXTS} texts.", "invalid_input")
    return embeddings(model.embedder, texts, asked.encoding_format)


async def _events(
    model: ServedModel, messages: list[dict[str, str]], asked: ChatRequest, answer_id: str
) -> AsyncIterator[str]:
    first: dict[str, Any] = {"role": "assistant", "content": ""}
    yield _event(completion_chunk(answer_id, model.name, first))
    async for said in model.answer(messages, asked.limits(model.settings.answer_timeout_s)):
        if hasattr(said, "text"):
            yield _event(completion_chunk(answer_id, model.name, {"content": said.text}))
        elif said.error:
            yield _event({"error": {"message": "The model failed.", "type": "server_error", "code": None}})
        else:
            yield _event(completion_chunk(answer_id, model.name, {}, _FINISH[said.reason], **_stamped(model, said)))
            if asked.stream_options and asked.stream_options.include_usage:
                yield _event({**completion_chunk(answer_id, model.name, {}), "choices": [], "usage": _usage(said)})
    yield "data: [DONE]\n\n"


def _refuse_too_long(tokens: int, window: int) -> None:
    if tokens >= window - 16:
        raise ContextTooLongError(tokens, window)


def _too_long(error: ContextTooLongError) -> JSONResponse:
    """In the words that other servers use, with the figures that llama.cpp gives."""
    body = {
        "message": error.what,
        "type": "invalid_request_error",
        "code": "context_length_exceeded",
        "n_prompt_tokens": error.tokens,
        "n_ctx": error.window,
    }
    return JSONResponse({"error": body}, 400)


def _stamped(model: ServedModel, end: Any) -> dict[str, str]:
    """The protocol's word for what tells one state of a model from another."""
    return {"system_fingerprint": stamp_of(model.generator.base.digest, end.adapter)}


def _bad(message: str, code: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error", "code": code}}, 400)


def _usage(end: Any) -> dict[str, int]:
    total = end.prompt_tokens + end.completion_tokens
    return {
        "prompt_tokens": end.prompt_tokens,
        "completion_tokens": end.completion_tokens,
        "total_tokens": total,
    }


def _event(body: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
