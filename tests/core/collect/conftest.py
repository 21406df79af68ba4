"""Servers and settings for tests that collect."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from collecting import Server, Site

from aion_assets.core.settings import Settings


@pytest.fixture
def serve() -> Iterator[Callable[[], Site]]:
    servers: list[ThreadingHTTPServer] = []

    def start() -> Site:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        server = Server(("127.0.0.1", 0), Handler)
        site = Site(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return site

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(serve: Callable[[], Site]) -> Site:
    return serve()


@pytest.fixture
def loopback_settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", allow_private_networks="127.0.0.0/8", crawl_timeout_s=10)  # type: ignore[arg-type]
