"""A web site on loopback that takes its time, so that a crawl of it can be interrupted."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class SlowSite:
    """Page 0 links to all others; each answer takes `pause_s`."""

    def __init__(self, pages: int, pause_s: float) -> None:
        self.pages = pages
        self.pause_s = pause_s
        self.served = 0
        self.root = ""

    def page(self, number: int) -> bytes:
        links = (
            "".join(f'<a href="/{other}">Página {other}</a> ' for other in range(1, self.pages)) if not number else ""
        )
        text = f"A página número {number} fala do assunto {number} com calma e em uma frase inteira."
        return f"<html><body><main><h1>Página {number}</h1><p>{text}</p>{links}</main></body></html>".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A crawler that is killed hangs up."""


@contextmanager
def serve(site: SlowSite) -> Iterator[SlowSite]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self.path.strip("/") or "0"
            found = number.isdigit() and int(number) < site.pages
            if found:
                time.sleep(site.pause_s)
            body = site.page(int(number)) if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            site.served += found

        def log_message(self, format: str, *arguments: object) -> None:
            """Tests are quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    site.root = f"http://127.0.0.1:{server.server_address[1]}/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
