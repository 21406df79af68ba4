"""A page of another site makes no server of AION do or say anything, whichever door it tries."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import counts
import httpx
import pytest
from fastapi import FastAPI
from fuzzing import doors
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from aion_assets.core.settings import Settings
from aion_serving.api import websocket
from aion_serving.app import create_app
from aion_serving.model_server.app import create_model_app
from aion_serving.model_server.served import ServedModel

_NOBODY = cast(ServedModel, None)  # what is refused never reaches the model
APPS: dict[str, Callable[[Settings], FastAPI]] = {
    "the server": create_app,
    "the model server": lambda settings: create_model_app(settings, _NOBODY),
}
_SITES = ("cross-site", "same-site")  # a page of another port is of the same site


@pytest.fixture(params=APPS)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> FastAPI:
    return APPS[request.param](Settings(home=tmp_path, database_url=""))


def sent_by_foreign_pages(method: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    """The status of the refusal, the method and the headers that a browser sends."""
    for host in ("evil.example", "127.0.0.1.evil.example:8000", "192.0.2.1"):  # rebound names
        yield 400, method, {"host": host, "sec-fetch-site": "same-origin", "origin": f"http://{host}"}
    for site in _SITES:
        for mode, kind in (("no-cors", "image"), ("no-cors", "script"), ("cors", "empty"), ("navigate", "iframe")):
            yield 403, method, {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": kind}
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"):
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
            yield 403, "POST", {"origin": origin, "content-type": kind}
    yield 403, "POST", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def test_no_door_opens_for_a_foreign_page(app: FastAPI) -> None:
    tried, obeyed = asyncio.run(_tried_and_obeyed(app))
    counts.note("requests of foreign pages to AION", tried, len(obeyed))
    assert not obeyed


async def _tried_and_obeyed(app: FastAPI) -> tuple[int, list[object]]:
    tried, obeyed = 0, list[object]()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for door, path in doors(app):
            for status, method, headers in sent_by_foreign_pages(door) if door != "WS" else ():
                if method == "POST" and door != "POST":
                    continue
                answer = await client.request(
                    method, path, headers=headers, content=b"{}" if method == "POST" else None
                )
                tried += 1
                if answer.status_code != status or answer.headers.get("cache-control") != "no-store":
                    obeyed.append((method, path, headers, answer.status_code))
    return tried, obeyed


def test_no_socket_opens_for_a_foreign_page(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://127.0.0.1")
    for path in (path for door, path in doors(app) if door == "WS"):
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://127.0.0.1:1"},
            {"host": "evil.example"},
            {"host": "evil.example", "origin": "http://evil.example"},
        ):
            headers = {"host": "127.0.0.1", **headers}
            with pytest.raises(WebSocketDisconnect), client.websocket_connect(path, headers=headers):
                pass
            counts.note("requests of foreign pages to AION", 1)


def test_a_page_of_another_site_may_link_to_what_only_shows(tmp_path: Path) -> None:
    """Not to what asks a question: each is recorded, and AION learns from it."""
    client = TestClient(create_app(Settings(home=tmp_path, database_url="")), base_url="http://127.0.0.1")
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    for path in ("/", "/docs", "/kb/items"):
        assert client.get(path, headers=link).status_code == 200
    for path in ("/api/chat/stream?message=tea", "/v1/models"):
        assert client.get(path, headers=link).status_code == 403
    own = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
    assert client.get("/kb/items", headers=own).status_code == 200


def test_whoever_has_the_token_may_call_the_model_server_by_any_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="", model_host="0.0.0.0", worker_token="t")
    client = TestClient(create_model_app(settings, _NOBODY), base_url="http://gpu-1:8008")
    refused = client.post("/generate", json={"prompt": "x"})
    assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")
    assert client.post("/generate", json={"prompt": " "}, headers={"authorization": "Bearer t"}).status_code == 422


def test_the_model_server_takes_no_text_and_no_size_that_would_harm_it(tmp_path: Path) -> None:
    client = TestClient(
        create_model_app(Settings(home=tmp_path, database_url=""), _NOBODY), base_url="http://127.0.0.1"
    )
    as_json = {"content-type": "application/json"}
    for body in (b'{"prompt": "\\ud800"}', b'{"prompt": "a\\u0000"}', b'{"prompt": "x", "top_p": NaN}'):
        assert client.post("/generate", content=body, headers=as_json).status_code == 422
    counts.note("texts that no database can carry", 3)
    large = b'{"prompt": "' + b"x" * 16_100_000 + b'"}'
    assert client.post("/generate", content=large, headers=as_json).status_code == 413


def test_a_socket_on_which_nothing_happens_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "IDLE_S", 0.3)
    client: Any = TestClient(create_app(Settings(home=tmp_path, database_url="")), base_url="http://127.0.0.1")
    with client.websocket_connect("/api/chat/stream", headers={"host": "127.0.0.1"}) as socket:
        socket.send_bytes(b"\x00\xff")
        assert "not as it should be" in socket.receive_text()
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1001
    counts.note("requests that never come to an end", 1)
