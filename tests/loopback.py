"""A web site on loopback that counts what is asked of it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class CountingSite:
    """`pages` maps paths to bodies, `types` to other content types than html; `failing` paths answer that status,
    and `answers` gives a path's whole answer: status, headers, body.

    `bodies` counts the answers that carried a body, `asked` all requests.
    """

    root: str = ""
    pages: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    bodies: Counter[str] = field(default_factory=Counter)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        self.asked[path] += 1
        body = self.pages.get(path)
        if path in self.answers or path in self.failing or body is None:
            status, headers, content = self.answers.get(path, (self.failing.get(path, 404), {}, b""))
            request.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(content)
            return
        etag = f'"{hash(body)}"'
        if request.headers.get("If-None-Match") == etag:
            request.send_response(304)
            request.end_headers()
            return
        self.bodies[path] += 1
        request.send_response(200)
        request.send_header("Content-Type", self.types.get(path, "text/html; charset=utf-8"))
        request.send_header("ETag", etag)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A crawler that is killed hangs up."""


@contextmanager
def counting_site() -> Iterator[CountingSite]:
    site = CountingSite()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    site.root = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def page(title: str, text: str, *links: str) -> bytes:
    anchors = " ".join(f'<a href="{link}">{link}</a>' for link in links)
    return (
        f"<html lang='en'><head><title>{title}</title></head><body><main><h1>{title}</h1><p>{text}</p></main>"
        f"<nav>{anchors}</nav></body></html>"
    ).encode()
