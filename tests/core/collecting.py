"""A real web server on loopback that serves what a test writes down, and counts what is asked of it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Progress
from aion_assets.core.collect.kinds import connector_of
from aion_assets.core.records import CollectedPage, KnownPage, Outcome, Source
from aion_assets.core.settings import Settings


@dataclass
class Page:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html; charset=utf-8"})
    delay_s: float = 0.0
    etag: str = ""


Route = Page | Callable[[BaseHTTPRequestHandler], None]


def html(*links: str, text: str = "", head: str = "", **fields: object) -> Page:
    anchors = "".join(f'<a href="{link}">x</a> ' for link in links)
    return Page(f"<html><head>{head}</head><body><p>{text}</p>{anchors}</body></html>".encode(), **fields)  # type: ignore[arg-type]


def moved(location: str, status: int = 301) -> Page:
    return Page(status=status, headers={"Location": location})


class Site:
    """`pages` may be changed while the server runs."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.pages: dict[str, Route] = {}
        self.requests: Counter[str] = Counter()
        self.conditional: Counter[str] = Counter()
        self.port = server.server_address[1]
        self.root = f"http://127.0.0.1:{self.port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests[request.path] += 1
        if request.headers.get("If-None-Match") or request.headers.get("If-Modified-Since"):
            self.conditional[request.path] += 1
        route = self.pages.get(request.path, Page(b"nothing here", 404))
        if callable(route):
            route(request)
            return
        time.sleep(route.delay_s)
        if route.etag and request.headers.get("If-None-Match") == route.etag:
            request.send_response(304)
            request.end_headers()
            return
        request.send_response(route.status)
        for name, value in route.headers.items():
            request.send_header(name, value)
        if route.etag:
            request.send_header("ETag", route.etag)
        request.send_header("Content-Length", str(len(route.body)))
        request.end_headers()
        request.wfile.write(route.body)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A crawler that hangs up on purpose is not an error of the server."""


@dataclass
class Collected:
    """All that one call of `collect` gave."""

    report: CollectionReport
    rows: dict[str, CollectedPage]
    progress: list[int]

    def outcomes(self) -> dict[str, str]:
        """Path of a web page, or locator → outcome."""
        return {short(locator): page.outcome.value for locator, page in self.rows.items()}

    def known(self, collection_id: str = "earlier") -> dict[str, KnownPage]:
        return {page.locator: known_page(page, collection_id) for page in self.rows.values()}


def short(locator: str) -> str:
    return "/" + locator.split("/", 3)[3] if locator.startswith("http://127.0.0.1") else locator


def known_page(page: CollectedPage, collection_id: str) -> KnownPage:
    return KnownPage(
        page.locator,
        page.outcome,
        page.etag,
        page.last_modified,
        page.content_hash,
        page.size_bytes,
        list(page.links),
        page.depth,
        collection_id,
    )


def source_of(kind: str, address: str, **fields: object) -> Source:
    values: dict[str, object] = {"max_depth": 10, "max_pages": 1000, **fields}
    return Source("s1", "default", kind, address, "a source", 0, **values)  # type: ignore[arg-type]


def collect(
    source: Source,
    settings: Settings,
    known: Mapping[str, KnownPage] | None = None,
    collection_id: str = "now",
) -> Collected:
    """Collects a source and holds every row to what rows promise."""
    rows: dict[str, CollectedPage] = {}
    progress: list[int] = []

    def emit(page: CollectedPage) -> None:
        assert page.locator not in rows, f"{page.locator} has two outcomes"
        assert (page.body is not None) == (page.outcome is Outcome.STORED)
        assert bool(page.content_hash) == (page.outcome in (Outcome.STORED, Outcome.UNCHANGED))
        assert bool(page.reason) == (page.outcome not in (Outcome.STORED, Outcome.UNCHANGED))
        assert page.fetched_at is not None
        rows[page.locator] = page

    def on_progress(progress_now: Progress) -> None:
        progress.append(progress_now.done)

    report = connector_of(source.kind).collect(
        CollectionJob(source, settings, known or {}, collection_id), emit, on_progress
    )
    assert sum(report.counts.values()) == len(rows)
    assert report.complete == (not report.failure)
    return Collected(report, rows, progress)
