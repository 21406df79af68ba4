"""The forms of the OpenAI protocol, as far as AION speaks it, for the chat API and for the model server."""

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from aion_assets.core.index.embedder import QueryEmbedder

_OWNER = "aion"
MAX_MESSAGE_CHARS = 400_000


class ContentPart(BaseModel):
    type: str
    text: str = ""


class ChatMessage(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = ""

    @property
    def text(self) -> str:
        """Parts that are no text are left out."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""

    def plain(self) -> dict[str, str]:
        """With the roles that every template knows."""
        role = {"developer": "system", "tool": "user", "function": "user"}.get(self.role, self.role)
        return {"role": role, "content": self.text[:MAX_MESSAGE_CHARS]}


def completion(
    answer_id: str, model: str, text: str, finish_reason: str, usage: Mapping[str, int], **more: Any
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": dict(usage),
        **more,
    }


def completion_chunk(
    answer_id: str, model: str, delta: Mapping[str, Any], finish_reason: str | None = None, **more: Any
) -> dict[str, Any]:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason, "logprobs": None}
    return {
        "id": answer_id,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        **more,
    }


def model_list(models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    listed = [{"object": "model", "created": 0, "owned_by": _OWNER, **model} for model in models]
    return {"object": "list", "data": listed}


def embeddings(embedder: QueryEmbedder, texts: Sequence[str], encoding: str) -> dict[str, Any]:
    """`encoding` "base64" packs float32 in little-endian order, as the `openai` client asks by default."""
    vectors = embedder.embed(texts)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _packed(vector) if encoding == "base64" else vector.tolist(),
        }
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return {"object": "list", "model": embedder.embedder_id, "data": data, "usage": usage}


def _packed(vector: "np.ndarray[Any, Any]") -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
