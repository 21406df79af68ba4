"""The two kinds of model that the doctor examines: one that it loads itself, and a server that it asks."""

import json
import queue
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aion_assets.core.errors import GeneratorError
from aion_assets.local.finding import Finding
from aion_assets.local.model_examination import Examined, Said

_TIMEOUT_S = 600.0
# Assumed where a server does not say.
_DEFAULT_WINDOW_TOKENS = 4096


def open_model(name: str, *, in_4bit: bool, key: str) -> Examined:
    """Raises GeneratorError: it cannot be loaded or reached."""
    return ServedModel(name, key) if name.startswith(("http://", "https://")) else LoadedModel(name, in_4bit)


class LoadedModel:
    """In this process, as the model server loads it."""

    def __init__(self, name: str, in_4bit: bool) -> None:
        from trainer.base_model import load_base_model
        from trainer.generator import Generator

        started = time.monotonic()
        self._generator = Generator(load_base_model(name, in_4bit=in_4bit))
        self._load_s = time.monotonic() - started
        self.window_tokens = self._generator.base.context_tokens

    def facts(self) -> Sequence[Finding]:
        base, template = self._generator.base, self._generator.template
        size = sum(value.numel() for value in base.model.parameters()) / 1e6
        precision = str(base.model.dtype).removeprefix("torch.")
        told = f"{base.name}, {size:.0f} M parameters in {precision}, loaded in {self._load_s:.0f} s"
        ends = ", ".join(sorted(map(str, base.tokenizer.convert_ids_to_tokens(sorted(template.end_ids)))))
        if not template.is_own:
            says = "none of its own: it was not trained to converse. Take its instruct version."
            return [Finding("model", "good", told), Finding("template", "missing", says)]
        system = "takes a system message" if template.takes_system else "takes no system message: the rules come first"
        return [Finding("model", "good", told), Finding("template", "good", f"its own; {system}; ends with {ends}")]

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> Said:
        from trainer.generation import Ended, Limits, Piece

        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        limits = Limits(max_new_tokens=max_tokens, temperature=0.0, timeout_s=_TIMEOUT_S)
        started, first, text = time.monotonic(), 0.0, ""
        self._generator.start(messages, limits, told.put)
        while isinstance(heard := told.get(), Piece):
            first = first or time.monotonic() - started
            text += heard.text
        if heard.reason is Ended.FAILED:
            raise GeneratorError(f"The model failed: {heard.error}.")
        spent = time.monotonic() - started
        return Said(text, first or spent, spent, heard.completion_tokens, str(heard.reason))


class ServedModel:
    """Over the OpenAI protocol."""

    def __init__(self, url: str, key: str) -> None:
        base = url.rstrip("/")
        self._base = base if base.endswith("/v1") else f"{base}/v1"
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        listed = self._listed()
        self._name = str(listed["id"])
        self._says_window = bool(listed.get("max_model_len"))
        self.window_tokens = int(listed.get("max_model_len") or _DEFAULT_WINDOW_TOKENS)

    def facts(self) -> Sequence[Finding]:
        assumed = "" if self._says_window else "; it does not say its window, 4096 tokens are assumed"
        return [Finding("model", "good", f"{self._name} at {self._base}{assumed}")]

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> Said:
        import httpx

        asked = {"model": self._name, "messages": list(messages), "max_tokens": max_tokens, "temperature": 0}
        body = asked | {"stream": True, "stream_options": {"include_usage": True}}
        started, first, text, tokens, ended = time.monotonic(), 0.0, "", 0, ""
        try:
            with httpx.stream(
                "POST", f"{self._base}/chat/completions", json=body, headers=self._headers, timeout=60, trust_env=False
            ) as response:
                response.raise_for_status()
                for line in response.iter_lines():
                    if not line.startswith("data:") or line.endswith("[DONE]"):
                        continue
                    event = json.loads(line.removeprefix("data:"))
                    choice = (event.get("choices") or [{}])[0]
                    piece = (choice.get("delta") or {}).get("content") or ""
                    first = first or (time.monotonic() - started if piece else 0.0)
                    text, ended = text + piece, choice.get("finish_reason") or ended
                    tokens = int((event.get("usage") or {}).get("completion_tokens") or tokens)
        except (httpx.HTTPError, ValueError, AttributeError, TypeError) as error:
            raise GeneratorError(f"{self._base} gave no answer: {type(error).__name__}.") from error
        if not ended and not text:
            raise GeneratorError(f"{self._base} sends no event stream of the protocol of OpenAI.")
        spent = time.monotonic() - started
        return Said(text, first or spent, spent, tokens or len(text) // 4, ended)

    def _listed(self) -> Mapping[str, Any]:
        import httpx

        try:
            reply = httpx.get(f"{self._base}/models", headers=self._headers, timeout=10, trust_env=False)
            reply.raise_for_status()
            found: Mapping[str, Any] = reply.json()["data"][0]
            return {"id": found["id"], **found}
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
            raise GeneratorError(
                f"{self._base}/models cannot be read: {type(error).__name__}.",
                "Give the address of a server that speaks the protocol of OpenAI.",
            ) from error
