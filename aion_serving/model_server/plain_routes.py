"""AION's own routes of the model server: state, plain generation, a plain stream, vectors."""

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, Field

from aion_assets.core.errors import GeneratorError
from aion_serving.middleware.problems import problem
from aion_serving.model_server.served import CurrentModel, ServedModel

router = APIRouter()
MAX_PROMPT_CHARS = 400_000
MAX_TEXTS = 256
_LOOK_EVERY_S = 0.2


class Generate(BaseModel):
    """`prompt` and `input` are the same. `context` is put before the question, `system` before both."""

    prompt: str = Field("", max_length=MAX_PROMPT_CHARS)
    input: str = Field("", max_length=MAX_PROMPT_CHARS)
    system: str = Field("", max_length=MAX_PROMPT_CHARS)
    context: str | list[str] = ""
    stop: list[str] = Field([], max_length=16)
    max_new_tokens: int = Field(512, ge=1, le=8192)
    temperature: float = Field(0.6, ge=0, le=2)
    top_p: float = Field(0.9, gt=0, le=1)
    repetition_penalty: float = Field(1.05, ge=0.5, le=2)
    timeout_s: float = Field(60.0, gt=0, le=3600)
    seed: int | None = None

    @property
    def question(self) -> str:
        return self.prompt or self.input

    def limits(self) -> Any:
        from trainer.generation import Limits

        names = ("max_new_tokens", "temperature", "top_p", "repetition_penalty", "timeout_s", "seed")
        return Limits(stop=tuple(self.stop), **{name: getattr(self, name) for name in names})


class Embed(BaseModel):
    text: str | None = Field(None, max_length=MAX_PROMPT_CHARS)
    texts: list[str] | None = Field(None, max_length=MAX_TEXTS)


@router.get("/health")
async def health(model: CurrentModel) -> dict[str, Any]:
    return {
        "status": "alive",
        "base_model": model.name,
        "base_digest": model.generator.base.digest,
        "adapter_loaded": bool(model.generator.adapter),
        "adapter_version": model.generator.adapter,
        "adapter_merged": model.generator.merged,
        "adapter_refused": model.refused,
    }


class Reload(BaseModel):
    """`digest` of an adapter, or the `name` of its folder beside the others; neither for what a start loads; `none`
    for the base model alone.
    """

    digest: str = Field("", max_length=64)
    name: str = Field("", max_length=200)
    none: bool = False


@router.post("/adapter/reload")
def reload_adapter(asked: Reload, model: CurrentModel) -> dict[str, Any]:
    """{adapter_loaded, adapter_version}. One that is not what its record says is refused with 409 and the reason, and
    the one before goes on serving. Answers under way end with theirs.
    """
    if asked.none:
        model.load_none()
    else:
        model.load_adapter(asked.name, asked.digest)
    return {"adapter_loaded": bool(model.generator.adapter), "adapter_version": model.generator.adapter}


@router.post("/adapter/merge")
def merge_adapter(model: CurrentModel) -> dict[str, Any]:
    """Compute the adapter that serves into the weights: tokens come sooner, and nothing can be swapped until the server
    is started again. 409 with the reason where that cannot be; the adapter then goes on as it was.
    """
    merged = model.generator.merge_adapter()
    return {"adapter_loaded": True, "adapter_version": merged, "merged": True}


@router.post("/generate", response_model=None)
async def generate(asked: Generate, model: CurrentModel, request: Request) -> dict[str, Any] | JSONResponse:
    """{ok, ms, text}, and why it ended. Where the caller hangs up, the model stops."""
    from trainer.generation import Ended

    if not asked.question.strip():
        return problem(422, "There is nothing to answer.", "Send the question as prompt or input.")
    started, text = time.monotonic(), ""
    messages = _fitted(model, asked)
    end = None
    answer = model.answer(messages, asked.limits())
    try:
        async for said in until_hung_up(answer, request):
            if hasattr(said, "text"):
                text += said.text
            else:
                end = said
    finally:
        await answer.aclose()  # type: ignore[attr-defined]
    if end is None or end.reason is Ended.FAILED:
        return problem(503, "The model failed.", "Its log says why.")
    ms = round(1000 * (time.monotonic() - started))
    return {
        "ok": True,
        "ms": ms,
        "text": text,
        "ended": end.reason,
        "completion_tokens": end.completion_tokens,
        "adapter": end.adapter,
    }


@router.get("/stream")
async def stream(
    model: CurrentModel, prompt: Annotated[str, Query(min_length=1, max_length=MAX_PROMPT_CHARS)]
) -> StreamingResponse:
    return _streamed(model, Generate(prompt=prompt))


@router.post("/stream", response_model=None)
async def stream_posted(asked: Generate, model: CurrentModel) -> StreamingResponse | JSONResponse:
    """Events {token}, then [DONE]."""
    if not asked.question.strip():
        return problem(422, "There is nothing to answer.", "Send the question as prompt or input.")
    return _streamed(model, asked)


@router.post("/embed", response_model=None)
def embed(asked: Embed | list[str], model: CurrentModel) -> dict[str, Any] | JSONResponse:
    """A list gives {vectors}, {text} gives {vector}. Vectors are L2-normalised."""
    texts = asked if isinstance(asked, list) else asked.texts
    if texts is not None and 0 < len(texts) <= MAX_TEXTS and all(len(text) <= MAX_PROMPT_CHARS for text in texts):
        return {"vectors": model.embedder.embed(texts).tolist()}
    if isinstance(asked, Embed) and asked.text:
        return {"vector": model.embedder.embed([asked.text])[0].tolist()}
    return problem(400, "There is nothing to embed.", f"Send a text, or a list of 1 to {MAX_TEXTS} texts.")


def _streamed(model: ServedModel, asked: Generate) -> StreamingResponse:
    messages = _fitted(model, asked)

    async def events() -> AsyncIterator[str]:
        async for said in model.answer(messages, asked.limits()):
            if hasattr(said, "text"):
                yield f"data: {json.dumps({'token': said.text}, ensure_ascii=False)}\n\n"
            elif said.error:
                yield f"data: {json.dumps({'error': 'The model failed.'})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _fitted(model: ServedModel, asked: Generate) -> list[dict[str, str]]:
    """The messages with as many parts of the context, first ones first, as leave room for the answer.

    Raises ContextTooLongError: the question alone is too long.
    """
    parts = [asked.context] if isinstance(asked.context, str) else list(asked.context)
    parts = [part for part in parts if part.strip()]
    room = model.generator.base.context_tokens - min(asked.max_new_tokens, model.generator.base.context_tokens // 2)
    while True:
        question = "\n\n".join([*parts, asked.question])
        messages = [{"role": "system", "content": asked.system}] if asked.system.strip() else []
        messages.append({"role": "user", "content": question})
        if not parts or model.generator.count_tokens(messages) <= room:
            return messages
        if len(parts) > 1:
            parts.pop()
        else:
            parts = [half] if (half := parts[0][: len(parts[0]) // 2].rpartition(" ")[0]) else []


async def until_hung_up(answer: AsyncIterator[Any], request: Request) -> AsyncIterator[Any]:
    """What the answer says, as long as the caller is there. A plain response notices it only at its end."""
    import asyncio

    upcoming = asyncio.ensure_future(anext(answer, None))
    try:
        while True:
            done, _ = await asyncio.wait({upcoming}, timeout=_LOOK_EVERY_S)
            if await request.is_disconnected():
                raise GeneratorError("The caller hung up.")
            if not done:
                continue
            said = upcoming.result()
            if said is None:
                return
            yield said
            upcoming = asyncio.ensure_future(anext(answer, None))
    finally:
        upcoming.cancel()
