"""A client that sends too much, too slowly or nothing costs the server little, and shuts nobody out."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import counts
import pytest
from slow_clients import Served, is_closed, served, wait_until_closed

from aion_assets.core.door.connections import Limits

_LIMITS = Limits()
_BEGUN = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_POST = (
    b"POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as made:
        yield made


def pour(client: socket.socket, piece: bytes, most: int) -> int:
    """Send again and again, until the server hangs up or `most` bytes went."""
    sent = 0
    try:
        while sent < most:
            sent += client.send(piece)
    except OSError:
        pass
    return sent


@pytest.mark.parametrize("line", [b"X-A: " + b"b" * 50 + b"\r\n", b"X: \r\n", b"X-Long: " + b"a" * 60_000, b"a" * 999])
def test_headers_without_end_are_cut_off_and_take_no_memory(server: Served, line: bytes) -> None:
    server.answers()
    before = server.megabytes
    client = server.connect(_BEGUN)
    sent = pour(client, line * max(1, 60_000 // len(line)), counts.amount(20_000_000, 100_000_000))
    assert sent < 10_000_000
    assert wait_until_closed([client], 5) == 0
    assert server.megabytes - before < 40
    assert server.answers()
    counts.note("headers without end", 1)


def test_headers_that_are_large_as_a_whole_are_refused(server: Served) -> None:
    """They come at once, so that none of them is ever incomplete."""
    client = server.connect(_BEGUN + b"X: " + b"a" * 100_000 + b"\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 431")
    client.close()
    client = server.connect(_BEGUN + b"X: " + b"a" * 30_000 + b"\r\nConnection: close\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 200")
    client.close()


def test_a_connection_that_waited_takes_another_request(server: Served) -> None:
    """Some seconds, after which Uvicorn would have closed it."""
    with closing(server.connect(_BEGUN + b"\r\n")) as client:
        answered = b""
        while not answered.endswith(b"}"):  # head and body may come one after the other
            answered += client.recv(65_536)
        assert answered.startswith(b"HTTP/1.1 200")
        time.sleep(7)
        client.sendall(_BEGUN + b"Connection: close\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_request_after_a_large_body_is_read(server: Served) -> None:
    body = b'{"message": "' + b"a" * 200_000 + b'"}'
    head = _POST.replace(b"900000", str(len(body)).encode())
    client = server.connect(head + body + _BEGUN + b"Connection: close\r\n\r\n")
    answered = b""
    while piece := client.recv(65_536):
        answered += piece
    assert answered.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 200" in answered
    client.close()


def test_a_body_of_crumbs_holds_nobody_up(server: Served) -> None:
    """Chunks of a byte each cost the server as much as large ones."""
    head = _POST.replace(b"Content-Length: 900000", b"Transfer-Encoding: chunked")
    client = server.connect(head)
    sent = pour(client, b"1\r\n \r\n" * 5_000, 20_000_000)
    assert sent < 10_000_000  # what the two ends of a connection hold
    assert wait_until_closed([client], 5) == 0
    assert server.answers()
    counts.note("requests that never come to an end", 1)


def test_half_a_request_and_silence_are_ended(server: Served) -> None:
    clients = [server.connect(sent) for sent in (b"", b"G", _BEGUN, _BEGUN + b"X: y", b"\r\n\r\n" * 3)]
    dripping = server.connect(_BEGUN)
    deadline = time.monotonic() + _LIMITS.header_s + 5
    while not is_closed(dripping) and time.monotonic() < deadline:
        try:
            dripping.send(b"X: y\r\n")  # a byte now and then does not help
        except OSError:
            break
        time.sleep(0.3)
    assert is_closed(dripping)
    assert wait_until_closed(clients, 10) == 0
    counts.note("requests that never come to an end", len(clients) + 1)


def test_a_body_that_does_not_come_is_ended(server: Served) -> None:
    silent, dripping = server.connect(_POST + b"{"), server.connect(_POST)
    deadline = time.monotonic() + _LIMITS.body_pause_s + 8
    while not is_closed(dripping) and time.monotonic() < deadline:
        try:
            dripping.send(b" ")
        except OSError:
            break
        time.sleep(0.5)
    assert is_closed(dripping)
    assert wait_until_closed([silent], 10) == 0
    counts.note("requests that never come to an end", 2)


def test_an_answer_that_nobody_takes_is_ended(server: Served) -> None:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.connect(("127.0.0.1", server.port))
    client.settimeout(1.0)
    asked = b"GET /static/aion.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    pour(client, asked * 50, 50_000_000)  # until neither side takes any more
    deadline = time.monotonic() + _LIMITS.answer_pause_s + 10
    while server.open_connections and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not server.open_connections
    client.close()
    counts.note("answers that nobody takes", 1)


@pytest.mark.parametrize("sent", [b"", _BEGUN, _POST + b"{"], ids=["idle", "half open", "half a body"])
def test_a_thousand_slow_clients_shut_nobody_out(server: Served, sent: bytes) -> None:
    most = counts.amount(1_200, 3_000)
    before = server.megabytes
    clients: list[socket.socket] = []
    refused = 0
    try:
        for number in range(most):
            clients.append(server.connect(sent))
            if number % 200 == 199:
                refused += not server.answers()
        refused += not server.answers()
        assert not refused
        assert server.open_connections <= _LIMITS.connections + 1
        assert server.megabytes - before < 60
    finally:
        for client in clients:
            client.close()
    assert server.answers()
    counts.note("slow clients at a time", most, refused)
