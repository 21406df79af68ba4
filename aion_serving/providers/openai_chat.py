"""Ask a model over the OpenAI protocol: AION's own model server, vLLM, llama.cpp, Ollama, or another like them.

httpx in place of the `openai` package: a deadline for the whole answer and a stop within a moment need the connection
in hand, and a server that only quotes should not load a client.
"""

import asyncio
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx

from aion_assets.core.answer.engine import Usage
from aion_assets.core.errors import ContextTooLongError, GeneratorError

_CONNECT_TIMEOUT_S = 5.0
_LOOK_EVERY_S = 0.1  # for a stop
_KNOWN_FOR_S = 60.0  # the list of models
_LIST_TIMEOUT_S = 5.0
# Assumed where the server does not say.
_DEFAULT_WINDOW_TOKENS = 4096
# A server that sends more than this is broken.
_MOST_CHARS = 200_000
# How late the deadline may be noticed where the loop is busy.
_LATE_S = 0.3
_DONE = object()


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is asked of the model beside the messages."""

    max_new_tokens: int
    temperature: float
    top_p: float
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Listed:
    name: str
    window_tokens: int
    known_at: float


class OpenAIChat:
    """One server. `provider` is what the record calls it. Safe to share between threads."""

    def __init__(self, provider: str, url: str, sampling: Sampling, *, model: str = "", key: str = "") -> None:
        self.provider = provider
        base = url.rstrip("/")
        self._base = base if base.endswith("/v1") else f"{base}/v1"
        self._sampling = sampling
        self.timeout_s = sampling.timeout_s
        self._model = model
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._listed: _Listed | None = None

    def window_tokens(self, until: float) -> int:
        """Raises GeneratorError: the server cannot be reached."""
        return self._model_there(until).window_tokens

    def is_alive(self, timeout_s: float) -> bool:
        """Whether it tells its models within that time."""
        try:
            self._listed = self._ask_for_models(timeout_s)
        except GeneratorError:
            return False
        return True

    def stream(
        self, messages: Sequence[dict[str, str]], stopped: Callable[[], bool], until: float
    ) -> Iterator[str | Usage]:
        """The answer's pieces, then its usage. It ends early, with usage "cancelled", once `stopped` says so.

        Raises GeneratorError: the server is not there, too slow, or answers what is no answer. ContextTooLongError: the
        messages are too long for it.
        """
        model = self._model_there(until).name
        heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running = asyncio.run_coroutine_threadsafe(self._listen(messages, model, heard.put, until), _loop())
        running.add_done_callback(lambda done: heard.put(_DONE))
        try:
            while True:
                try:
                    item = heard.get(timeout=_LOOK_EVERY_S)
                except queue.Empty:
                    item = ""
                if stopped():
                    yield Usage(model, finish_reason="cancelled")
                    return
                if item is _DONE:
                    _raise_what_failed(running, self.provider)
                    return
                if item:
                    yield item
                elif time.monotonic() > until + _LATE_S:  # the loop itself is late
                    raise _too_slow(self.provider)
        finally:
            running.cancel()

    async def _listen(
        self, messages: Sequence[dict[str, str]], model: str, tell: Callable[[str | Usage], None], until: float
    ) -> None:
        left_s = max(0.0, until - time.monotonic())
        body = {
            "model": model,
            "messages": list(messages),
            "max_tokens": self._sampling.max_new_tokens,
            "temperature": self._sampling.temperature,
            "top_p": self._sampling.top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        usage, told = Usage(model), 0
        async with asyncio.timeout(left_s):
            async with (
                httpx.AsyncClient(timeout=_timeout(left_s), trust_env=False) as client,
                client.stream("POST", f"{self._base}/chat/completions", json=body, headers=self._headers) as response,
            ):
                if response.status_code != 200:
                    raise _refusal(response.status_code, await _beginning(response))
                async for event in _events(response):
                    text, usage = _read(event, usage)
                    told += len(text)
                    if told > _MOST_CHARS:
                        raise GeneratorError(f"The model wrote more than {_MOST_CHARS} characters.")
                    if text:
                        tell(text)
        tell(usage)

    def _model_there(self, until: float) -> _Listed:
        listed = self._listed
        if listed is None or time.monotonic() - listed.known_at > _KNOWN_FOR_S:
            listed = self._listed = self._ask_for_models(min(_LIST_TIMEOUT_S, until - time.monotonic()))
        return listed

    def _ask_for_models(self, timeout_s: float) -> _Listed:
        asking = asyncio.run_coroutine_threadsafe(self._models(max(0.0, timeout_s)), _loop())
        try:
            models = asking.result(max(0.0, timeout_s) + _LATE_S)
        except (httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise GeneratorError(f"The model of {self.provider} cannot be asked: {_in_words(error)}.") from error
        finally:
            asking.cancel()
        chosen = next((item for item in models if self._model in ("", item["id"])), None)
        if chosen is None:
            raise GeneratorError(f"{self.provider} has no model {self._model!r}.", "Mend AION_LOCAL_LLM_MODEL.")
        return _Listed(chosen["id"], _window_of(chosen), time.monotonic())

    async def _models(self, timeout_s: float) -> list[Mapping[str, Any]]:
        """As the server lists them, within that time however slowly it sends."""
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client:
            response = await client.get(f"{self._base}/models", headers=self._headers)
            response.raise_for_status()
            return [item for item in response.json()["data"] if isinstance(item["id"], str)]


def _too_slow(provider: str) -> GeneratorError:
    return GeneratorError(f"The model of {provider} did not answer: it took too long.")


def _window_of(model: Mapping[str, Any]) -> int:
    """vLLM and AION say max_model_len, llama.cpp meta.n_ctx_train."""
    meta = model.get("meta")
    found = model.get("max_model_len") or (meta.get("n_ctx_train") if isinstance(meta, dict) else None)
    return found if isinstance(found, int) and found > 0 else _DEFAULT_WINDOW_TOKENS


async def _events(response: httpx.Response) -> AsyncIterator[Mapping[str, Any]]:
    """The JSON objects of an event stream. Raises GeneratorError: it is none."""
    seen = False
    async for line in response.aiter_lines():
        if not line.startswith("data:"):
            if line and not line.startswith((":", "event:", "id:", "retry:")):
                raise GeneratorError("The model's server sends no event stream.")
            continue
        data = line[len("data:") :].strip()
        if data == "[DONE]":
            return
        try:
            event = json.loads(data)
        except ValueError:
            raise GeneratorError("The model's server sends what is no JSON.") from None
        if not isinstance(event, dict):
            raise GeneratorError("The model's server sends what is no answer.")
        seen = True
        yield event
    if not seen:
        raise GeneratorError("The model's server sent nothing.")
    raise GeneratorError("The model's server broke off.")


def _read(event: Mapping[str, Any], usage: Usage) -> tuple[str, Usage]:
    """Text of one event, and what is known by now. Raises GeneratorError: the server says that it failed."""
    if event.get("error"):
        raise GeneratorError("The model's server failed while it wrote.")
    try:
        counted = event.get("usage") or {}
        choice = (event.get("choices") or [{}])[0]
        text = (choice.get("delta") or {}).get("content") or ""
        reason = choice.get("finish_reason") or usage.finish_reason
        stamp = event.get("system_fingerprint") or ""
        model = f"{usage.model.partition('@')[0]}@{stamp}" if stamp and isinstance(stamp, str) else usage.model
        prompt = int(counted.get("prompt_tokens", usage.prompt_tokens))
        completion = int(counted.get("completion_tokens", usage.completion_tokens))
    except (AttributeError, TypeError, ValueError, IndexError):
        raise GeneratorError("The model's server sends what is no answer.") from None
    if not isinstance(text, str):
        raise GeneratorError("The model's server sends what is no answer.")
    return text, Usage(model[:200], prompt, completion, str(reason))


def _refusal(status: int, body: str) -> GeneratorError:
    lowered = body.lower()
    if status == 400 and ("context_length" in lowered or "context length" in lowered or "context size" in lowered):
        try:
            error = json.loads(body)["error"]
            return ContextTooLongError(int(error["n_prompt_tokens"]), int(error["n_ctx"]))
        except (ValueError, KeyError, TypeError):
            return ContextTooLongError(0, 0)
    return GeneratorError(f"The model's server refused with status {status}.")


async def _beginning(response: httpx.Response) -> str:
    taken = b""
    async for part in response.aiter_bytes():
        taken += part
        if len(taken) > 10_000:
            break
    return taken[:10_000].decode("utf-8", "replace")


def _raise_what_failed(running: "Future[None]", provider: str) -> None:
    error = running.exception() if not running.cancelled() else None
    if error is None:
        return
    if isinstance(error, GeneratorError):
        raise error
    raise GeneratorError(f"The model of {provider} did not answer: {_in_words(error)}.") from error


def _in_words(error: BaseException) -> str:
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return "it took too long"
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}"
    return "it is not reachable" if isinstance(error, httpx.TransportError) else type(error).__name__


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, _CONNECT_TIMEOUT_S))


_loops: list[asyncio.AbstractEventLoop] = []
_making = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    """One loop in a thread of its own for all answers. A call that is under way can only be ended from a loop."""
    with _making:
        if not _loops:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="models", daemon=True).start()
            _loops.append(loop)
        return _loops[0]
