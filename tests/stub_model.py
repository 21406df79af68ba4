"""A model's server of the outside world, over real HTTP, that does what a test wants."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK, HANGS, GARBAGE, REFUSES, BREAKS_OFF, TOO_LONG = "ok", "hangs", "garbage", "refuses", "breaks off", "too long"


@dataclass
class StubModel:
    """`says` is the answer; `pause_s` comes before every word. `asked` are the bodies that came, `keys` their keys."""

    says: str = ""
    behaviour: str = OK
    pause_s: float = 0.0
    window: int = 4096
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def stub_model(**options: Any) -> Iterator[StubModel]:
    stub = StubModel(**options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()


def _handler(stub: StubModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._send_json(200, {"data": [{"id": "stub", "max_model_len": stub.window}]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stub.asked.append(body)
            stub.keys.append(self.headers["authorization"] or "")
            if stub.behaviour == HANGS:
                stub.hung_up.wait(30)
                return
            if stub.behaviour == REFUSES:
                self._send_json(500, {"error": "no"})
                return
            passages = body["messages"][-1]["content"].count("\n\n[")
            if stub.behaviour == TOO_LONG and passages > 1:
                error = {"code": "context_length_exceeded", "n_prompt_tokens": 5000, "n_ctx": 4096}
                self._send_json(400, {"error": error})
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            if stub.behaviour == GARBAGE:
                self.wfile.write(b"<html>502 Bad Gateway</html>\n")
                return
            try:
                self._write_answer()
            except OSError:
                stub.hung_up.set()

        def _write_answer(self) -> None:
            words = stub.says.split(" ")
            if stub.behaviour == BREAKS_OFF:
                words = words[: len(words) // 2]
            for number, word in enumerate(words):
                time.sleep(stub.pause_s)
                delta = {"content": word if number == 0 else f" {word}"}
                self._event({"choices": [{"delta": delta, "finish_reason": None}]})
            if stub.behaviour == BREAKS_OFF:
                return
            self._event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
            self._event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(words)}})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, body: dict[str, Any]) -> None:
            self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
            self.wfile.flush()

        def _send_json(self, status: int, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return Handler
