"""No request that anybody can write makes the server fail, then or later."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import counts
import httpx
import pytest
from fuzzing import Fuzzer, doors
from slow_clients import Served, served
from websockets.sync.client import connect
from workbench import Workbench, article, write_files

from aion_assets.core.settings import Settings
from aion_serving.api.websocket import Asked
from aion_serving.app import create_app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    bench = Workbench(Settings(home=folder / "home", database_url=""))
    files = write_files(folder / "files", tea_md=article("tea"), coffee_md=article("coffee"), rest_txt="Rest at noon.")
    bench.run(bench.add(files, name="files"))
    bench.database.engine.dispose()
    with served(folder) as made:
        yield made


def test_no_request_to_any_door_makes_the_server_fail(server: Served, tmp_path: Path) -> None:
    failed = []
    app = create_app(Settings(home=tmp_path, database_url=""))
    fuzzer = Fuzzer(app, random.Random(11))
    tried = counts.amount(1_000, 6_000)
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        for _ in range(tried):
            method, path, options = fuzzer.request()
            try:
                response = client.request(method, path, **options)
            except (httpx.InvalidURL, UnicodeEncodeError, ValueError):  # this client cannot send it
                continue
            if response.status_code >= 500 or "no-store" not in response.headers.get("cache-control", ""):
                failed.append((response.status_code, method, path[:200], str(options)[:300]))
        for path in ("/", "/kb/items", "/curation/pending", "/api/sources", "/health", "/ready"):
            assert client.get(path).status_code == 200, path
    counts.note("fuzzed requests", tried, len(failed))
    assert not failed


def test_no_message_on_a_socket_makes_the_server_fail(server: Served, tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, database_url=""))
    fuzzer = Fuzzer(app, random.Random(12))
    sockets = [path for method, path in doors(app) if method == "WS"]
    tried = counts.amount(150, 1_500)
    for path in sockets:
        messages = [b"\0", b"", "", "[" * 100_000, *(fuzzer.message(Asked.model_json_schema()) for _ in range(tried))]
        while messages:
            with connect(server.url.replace("http", "ws") + path, proxy=None, max_size=None) as socket:
                for message in [messages.pop() for _ in range(min(50, len(messages)))]:
                    socket.send(message)
                socket.send("{}")  # it is answered after all before it
                while "There is no question." not in str(socket.recv(30)):
                    pass
    said = (server.log.read_text("utf-8", "replace")).count("Traceback")
    counts.note("messages on WebSockets", len(sockets) * tried, said)
    assert not said
    assert server.answers()


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
            "a foreign socket": _raw(server, _UPGRADE + b"Origin: https://evil.example\r\n\r\n"),
            "a socket that is not there": _raw(server, _UPGRADE.replace(b"stream", b"none") + b"\r\n"),
            "half a handshake": _raw(server, _UPGRADE.replace(b"Sec-WebSocket-Key", b"X") + b"\r\n"),
            "HTTP of tomorrow": _raw(server, b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
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


_UPGRADE = (
    b"GET /api/chat/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def _raw(server: Served, request: bytes) -> httpx.Response:
    received = b""
    with server.connect(request) as client:
        client.settimeout(10)
        while piece := client.recv(65_536):
            received += piece
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:])]
    return httpx.Response(int(head[0].split(" ")[1]), headers=headers)
