"""No request that anybody can write makes the server fail, then or later."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import counts
import httpx
import pytest
from slow_clients import Served, served
from workbench import Workbench, article, write_files

from aion_assets.core.settings import Settings

_TEXTS = (
    "férias?", "", " ", "\ud800", "a\udfffb", "\0", "a\0b", "x" * 20_000, "\u202e\u2066", "\U0010ffff", "'; DROP--",
    "%00", "../../etc/passwd", "\x1b[2J", "{{7*7}}", "${x}", "<script>", "NaN", "-1", "9" * 400, "💩", "\ufeff",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 10**400, 2**63, -(2**63) - 1, float("nan"), float("inf"), [], {}, [[]], {"": ""},
    [None], ["\ud800"], {"\ud800": 1}, {"a": {"b": {"c": "\0"}}}, [1] * 1_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    bench = Workbench(Settings(home=folder / "home", database_url=""))
    files = write_files(folder / "files", tea_md=article("tea"), coffee_md=article("coffee"), rest_txt="Rest at noon.")
    bench.run(bench.add(files, name="files"))
    bench.database.engine.dispose()
    with served(folder) as made:
        yield made


class Fuzzer:
    """Requests made from the server's own description: right ones with something wrong put in, and wrong ones."""

    def __init__(self, description: dict[str, Any], dice: random.Random) -> None:
        self._schemas = description["components"]["schemas"]
        self._dice = dice
        self.calls = [
            (path, method, call)
            for path, methods in description["paths"].items()
            for method, call in methods.items()
            if "stream" not in path
        ]

    def request(self) -> tuple[str, str, dict[str, Any]]:
        path, method, call = self._dice.choice(self.calls)
        params: dict[str, Any] = {}
        for parameter in call.get("parameters", []):
            value = self._any(parameter["schema"])
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", self._in_address(value))
            else:
                params[parameter["name"]] = value
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
        return method.upper(), f"{path}?{query}" if query else path, options

    def _any(self, schema: dict[str, Any]) -> Any:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if self._dice.random() < 0.15:
            return self._dice.choice(_VALUES)
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._any(self._dice.choice(choices))
        if "enum" in schema:
            return self._dice.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object":
            named = schema.get("properties", {})
            return {name: self._any(inner) for name, inner in named.items() if self._dice.random() < 0.9}
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


def test_no_request_makes_the_server_fail(server: Served) -> None:
    failed = []
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        fuzzer = Fuzzer(client.get("/openapi.json").json(), random.Random(11))
        tried = counts.amount(1_000, 6_000)
        for _ in range(tried):
            method, path, options = fuzzer.request()
            try:
                response = client.request(method, path, **options)
            except (httpx.InvalidURL, UnicodeEncodeError, ValueError):  # this client cannot send it
                continue
            if response.status_code >= 500:
                failed.append((response.status_code, method, path[:200], str(options)[:300]))
        for path in ("/", "/kb/items", "/curation/pending", "/api/sources", "/health", "/ready"):
            assert client.get(path).status_code == 200, path
    counts.note("fuzzed requests", tried, len(failed))
    assert not failed


@pytest.mark.parametrize("text", ["\ud800", "a\udc00", "\0"])
def test_half_a_character_is_refused_before_it_is_stored(server: Served, text: str) -> None:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        (item, *_) = client.get("/kb/items").json()["items"]
        for body in ({"doc_ids": [item["doc_id"]], "action": "approve", "tags": [text]}, {"message": text}, {text: 1}):
            for path in ("/curation/action", "/api/chat", "/api/ai/chat"):
                sent = json.dumps(body).encode()
                response = client.post(path, content=sent, headers={"content-type": "application/json"})
                assert response.status_code in (404, 422), path
                assert response.json()["error"]
        assert client.get("/kb/items").status_code == 200
        whole = {"doc_ids": [item["doc_id"]], "action": "approve", "tags": ["\ud83d\ude00 e \\ud800"]}
        sent = json.dumps(whole).encode()
        assert (
            client.post("/curation/action", content=sent, headers={"content-type": "application/json"}).status_code
            == 200
        )
    counts.note("texts that no database can carry", 9)


def test_every_answer_and_every_error_is_kept_by_nobody_and_runs_nothing(server: Served) -> None:
    asked = [
        ("GET", "/", {}), ("GET", "/health", {}), ("GET", "/static/aion.css", {}), ("GET", "/nothing", {}),
        ("POST", "/", {}), ("GET", "/kb/items?limit=x", {}), ("GET", "/kb/items", {"Host": "evil.example"}),
        ("POST", "/api/chat", {"Origin": "https://evil.example"}), ("GET", "/%00", {}),
        ("GET", "/openapi.json", {}),
    ]  # fmt: skip
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        for method, path, headers in asked:
            answer = client.request(method, path, headers=headers)
            assert answer.headers["cache-control"] == "no-store", path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path


def test_an_error_that_nobody_expected_carries_the_headers_too(tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    from aion_serving.app import create_app

    app = create_app(Settings(home=tmp_path))

    @app.get("/breaks")
    def breaks() -> None:
        raise ZeroDivisionError

    answer = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False).get("/breaks")
    assert answer.status_code == 500
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "0.0.0.0", "::"])
def test_wherever_it_listens_the_server_is_asked_by_known_names_only(tmp_path: Path, listens_on: str) -> None:
    from starlette.testclient import TestClient

    from aion_serving.app import create_app

    settings = Settings(home=tmp_path, host=listens_on, allowed_hosts=("knowledge.example.org",))
    client = TestClient(create_app(settings), base_url="http://127.0.0.1")
    for name in ("evil.example", "192.0.2.1", "0.0.0.0", "[::]", "", "knowledge.example.org.evil.example"):
        assert client.get("/health", headers={"host": name}).status_code == 400, name
    for name in ("127.0.0.1:8000", "localhost", "knowledge.example.org", "Knowledge.Example.org:8000"):
        assert client.get("/health", headers={"host": name}).status_code == 200, name
    counts.note("requests by foreign names", 6)


def test_no_answer_names_a_place_on_the_disk_of_the_server(server: Served) -> None:
    """Files are shown by their place in their source; the server itself gives them out."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        answer = client.post("/api/chat", json={"message": "What does the handbook say of tea?"}).json()
        asked = {"model": "aion", "messages": [{"role": "user", "content": "What of tea?"}]}
        texts = [
            json.dumps(answer),
            client.get("/api/search", params={"q": "tea"}).text,
            client.get(f"/api/answers/{answer['answer_id']}/why").text,
            client.post("/v1/chat/completions", json=asked).text,
            client.post("/v1/chat/completions", json=asked | {"stream": True}).text,
            client.get("/api/chat/stream", params={"message": "What of coffee?"}).text,
            *(client.get(path).text for path in ("/kb/items", "/curation/pending", "/api/sources", "/", "/metrics")),
            client.get("/kb/items/" + "0" * 32 + "/original").text,
            client.get("/static/../../../etc/passwd").text,
        ]
        shown = (answer["citations"] or answer["nearest"])[0]
        assert shown["url"].startswith("files/") and "/original" in shown["link"]
        assert client.get(shown["link"].partition("#")[0]).status_code == 200
    leaks = [text[:300] for text in texts if "file:/" in text or str(Path(__file__).anchor + "tmp/") in text]
    counts.note("answers in which a path of the server might stand", len(texts), len(leaks))
    assert not leaks


def test_every_answer_carries_the_headers_whatever_went_wrong(server: Served) -> None:
    big = b"x" * 1_100_000
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        answers = {
            "page": client.get("/"),
            "static": client.get("/static/chat.js"),
            "static that is not there": client.get("/static/none.js"),
            "stream": client.get("/api/chat/stream", params={"message": "tea?"}),
            "not there": client.get("/nowhere"),
            "wrong method": client.delete("/api/chat"),
            "options": client.options("/api/chat"),
            "too large": client.post("/api/chat", content=big),
            "not JSON": client.post("/api/chat", content=b"{"),
            "foreign page": client.post("/api/chat", json={}, headers={"Origin": "https://evil.example"}),
            "foreign name": client.get("/", headers={"Host": "evil.example"}),
            "headers too large": client.get("/", headers={"X-Large": "x" * 100_000}),
            "no HTTP": _raw(server, b"no http at all\r\n\r\n"),
            "HTTP of tomorrow": _raw(server, b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n"),
            "two lengths": _raw(
                server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
            ),
        }
    lacking = {what: sorted(_HEADERS - {name.lower() for name in answer.headers}) for what, answer in answers.items()}
    counts.note("answers without the security headers", len(answers), sum(map(bool, lacking.values())))
    assert {what: names for what, names in lacking.items() if names} == {}
    assert {answer.headers["cache-control"] for answer in answers.values()} == {"no-store"}


_HEADERS = {
    "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "cache-control",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy",
}  # fmt: skip


def _raw(server: Served, request: bytes) -> httpx.Response:
    client = server.connect(request)
    client.settimeout(10)
    received = b""
    while piece := client.recv(65_536):
        received += piece
    client.close()
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:])]
    return httpx.Response(int(head[0].split(" ")[1]), headers=headers)
