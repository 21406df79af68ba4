"""Stores for tests that work on them: Lance tables, SQLite and, where it can be had, PostgreSQL."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from collecting import Server, Site
from loopback import CountingSite, counting_site
from scratch_database import scratch_database
from workbench import Workbench

from aion_assets.core.database.engine import Database, open_database
from aion_assets.core.settings import Settings


@pytest.fixture
def workbench(settings: Settings) -> Iterator[Workbench]:
    made = Workbench(settings)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def web() -> Iterator[CountingSite]:
    with counting_site() as site:
        yield site


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, settings: Settings) -> Iterator[tuple[Database, Settings]]:
    """The same test on SQLite and on a scratch database of a PostgreSQL that trusts loopback."""
    if request.param == "sqlite":
        database = open_database(settings)
        yield database, settings
        database.engine.dispose()
        return
    with scratch_database() as url:
        with_url = settings.model_copy(update={"database_url": url})
        database = open_database(with_url)
        yield database, with_url
        database.engine.dispose()


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


@pytest.fixture
def dripping() -> Callable[[BaseHTTPRequestHandler], None]:
    """A page of which one byte comes at a time."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", "100")
        request.end_headers()
        _drip(request, b"x" * 100)

    return answer


@pytest.fixture
def dripping_headers() -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer whose headers never end."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        _drip(request, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100)

    return answer


def _drip(request: BaseHTTPRequestHandler, data: bytes) -> None:
    for byte in data:
        request.wfile.write(bytes([byte]))
        request.wfile.flush()
        time.sleep(0.1)
