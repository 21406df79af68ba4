"""Requests to every door of an application, taken from its own table of routes, so that a new one is tried too."""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI

_TEXTS = (
    "férias?", "", " ", "\ud800", "a\udfffb", "\0", "a\0b", "x" * 20_000, "\u202e\u2066", "\U0010ffff", "'; DROP--",
    "%00", "../../etc/passwd", "\x1b[2J", "{{7*7}}", "${x}", "<script>", "NaN", "-1", "9" * 400, "💩", "\ufeff",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 10**400, 2**63, -(2**63) - 1, float("nan"), float("inf"), [], {}, [[]], {"": ""},
    [None], ["\ud800"], {"\ud800": 1}, {"a": {"b": {"c": "\0"}}}, [1] * 1_000,
)  # fmt: skip


def doors(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route, pages and mounted files included; a WebSocket's method is WS."""
    yield from _doors(app.routes)


def _doors(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in routes:
        if included := getattr(route, "original_router", None):
            yield from _doors(included.routes)
        elif hasattr(route, "methods"):
            yield from ((method, route.path) for method in route.methods)
        elif type(route).__name__ == "Mount":
            yield "GET", f"{route.path}/{{path}}"
        else:
            yield "WS", route.path


class Fuzzer:
    """Requests made from the server's own description: right ones with something wrong put in, and wrong ones. They go
    to one door after the other. `kept`: values of fields that would only cost time.
    """

    def __init__(self, app: FastAPI, dice: random.Random, **kept: Any) -> None:
        description = app.openapi()
        self._schemas = description.get("components", {}).get("schemas", {})
        self._dice = dice
        self._kept = kept
        self._calls = [
            (path, method, description["paths"].get(path, {}).get(method.lower(), {}))
            for method, path in sorted(doors(app))
            if method != "WS"
        ]
        self._next = 0

    def request(self) -> tuple[str, str, dict[str, Any]]:
        path, method, call = self._calls[self._next % len(self._calls)]
        self._next += 1
        params: dict[str, Any] = {}
        for parameter in call.get("parameters", []):
            value = self._any(parameter["schema"])
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", self._in_address(value))
            else:
                params[parameter["name"]] = value
        path = re.sub(r"{\w+}", lambda _: self._in_address(self._text()), path)
        query = "&".join(f"{name}={self._in_address(value)}" for name, value in params.items())
        options: dict[str, Any] = {}
        body = call.get("requestBody", {}).get("content", {})
        if "application/json" in body:
            content = self._any(body["application/json"]["schema"])
            options["content"] = json.dumps(content).encode()
            options["headers"] = {"content-type": "application/json"}
            if self._dice.random() < 0.1:
                options["content"] = self._broken(options["content"])
        elif body:
            name = self._dice.choice(
                ("a.txt", "a.pdf", "\u202ea.txt", "..", "a" * 300 + ".md", "x.jsonl", "", "a\\b.txt")
            )
            file = self._dice.choice((b"text", b"", b"%PDF-1.4", b"\xff\xfe\0", b'{"id": "\\ud800", "text": "x"}\n'))
            options["files"] = {"file": (name, file)}
            options["data"] = {"source": self._plain(self._text()), "replace": self._plain(self._text())}
        return method, f"{path}?{query}" if query else path, options

    def message(self, schema: Mapping[str, Any]) -> str | bytes:
        """For a WebSocket."""
        content = json.dumps(self._any(schema)).encode()
        if self._dice.random() < 0.2:
            content = self._broken(content)
        return content if self._dice.random() < 0.1 else content.decode("utf-8", "replace")

    def _any(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            schema = self._schemas.get(schema["$ref"].rpartition("/")[2], {})
        if self._dice.random() < 0.15:
            return self._dice.choice(_VALUES)
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._any(self._dice.choice(choices))
        if "enum" in schema:
            return self._dice.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object":
            named = schema.get("properties", {})
            found = {name: self._any(inner) for name, inner in named.items() if self._dice.random() < 0.9}
            return found | {name: value for name, value in self._kept.items() if name in named}
        if kind == "array":
            return [self._any(schema.get("items", {})) for _ in range(self._dice.randint(0, 3))]
        if kind in ("integer", "number"):
            return self._dice.choice((0, 1, 5, -1, 2**31, 2**63, 10**30, 0.5))
        return self._text() if kind in ("string", None) else True

    def _text(self) -> str:
        return self._dice.choice(_TEXTS) if self._dice.random() < 0.7 else chr(self._dice.randrange(0x110000)) * 3

    @staticmethod
    def _plain(text: str) -> str:
        return text.encode("utf-8", "replace").decode()

    def _in_address(self, value: object) -> str:
        raw = str(value).encode("utf-8", "surrogatepass")[:1_000]
        return "".join(f"%{byte:02x}" for byte in raw)

    def _broken(self, content: bytes) -> bytes:
        cut = self._dice.randrange(len(content) + 1)
        return content[:cut] + bytes([self._dice.randrange(256)]) + content[cut + 1 :]
