"""What one connection may cost: how large its headers are, how long it may take, and how many there may be.

Uvicorn bounds none of these. A client that sends headers without end, half a request, or nothing, would keep memory and
a place for ever, and some hundreds of them would shut everybody out.
"""

import asyncio
import re
import resource
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from aion_assets.core.door.headers import HEADERS

LOOK_EVERY_S = 1.0
_REFUSED = "".join(
    f"\r\n{name}: {value}" for name, value in {**HEADERS, "connection": "close", "content-length": "0"}.items()
).encode() + (b"\r\n\r\n")
# A client that writes sends more at a time, but for the last piece; so few pieces are read within a moment.
_CRUMB_BYTES = 64
_MOST_CRUMBS = 4_000
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
# Files that the server needs besides its connections: tables, database, logs.
_OTHER_FILES = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and seconds. `connections` are all, `sockets` those of them that are WebSockets."""

    # Cookies count, and those of every server of this machine come along: browsers do not tell its ports apart.
    header_bytes: int = 64_000
    header_s: float = 10.0  # from the first byte, or from the connection, to the end of the headers
    body_pause_s: float = 20.0  # between two pieces of a body
    body_bytes_per_s: float = 500.0  # on average, once `body_pause_s` are over
    answer_pause_s: float = 30.0  # in which a client takes nothing of an answer
    connections: int = 1_000
    sockets: int = 200

    def that_fit(self) -> "Limits":
        """With no more connections than this process may have open files. Raises its limit as far as it may."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.connections + _OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return self
        return Limits(connections=max(50, soft - _OTHER_FILES), sockets=min(self.sockets, max(10, soft // 8)))


class _Connection(h11.Connection):
    """Refuses a body that comes in crumbs: each costs as much as a large piece, and holds up everybody meanwhile."""

    _crumbs = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._crumbs = 0
        elif isinstance(event, h11.Data) and len(event.data) < _CRUMB_BYTES:
            self._crumbs += 1
            if self._crumbs > _MOST_CRUMBS:
                raise h11.RemoteProtocolError("The body comes in too many pieces.")
        return event


class BoundedProtocol(H11Protocol):
    """Uvicorn's HTTP protocol within `limits`. Where all places are taken, the client that is slowest makes room."""

    limits = Limits()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = _Connection(h11.SERVER, self.limits.header_bytes)
        self._since = self.loop.time()  # of the request, or of the wait for one
        self._header_bytes = self._body_bytes = 0
        # In looks of the watch: how long a body is being sent, how long nothing of it came, how long nothing was taken.
        self._sending = self._silent = self._stuck = 0
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        _Watch.of(self.server_state, self.loop).start()
        if len(self.connections) > self.limits.connections and not self._make_room():
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.is_waiting:
            if not self._header_bytes:
                self._begin()
            end = data.find(b"\r\n\r\n")
            self._header_bytes += end if end >= 0 else len(data)
            if self._header_bytes > self.limits.header_bytes:
                self.refuse(b"431 Request Header Fields Too Large")
                return
        else:
            self._body_bytes += len(data)
            self._silent = 0
        super().data_received(data)
        if not self.is_waiting:
            self._header_bytes = 0

    def on_response_complete(self) -> None:
        self._begin()
        super().on_response_complete()

    def _begin(self) -> None:
        self._since = self.loop.time()
        self._body_bytes = self._sending = self._silent = 0

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        if not _is_handshake(event):
            self.refuse(b"400 Bad Request")
            return
        sockets = sum(not isinstance(other, H11Protocol) for other in self.connections)
        if sockets >= self.limits.sockets:
            self.refuse(b"503 Service Unavailable")
            return
        super().handle_websocket_upgrade(event)

    @property
    def is_waiting(self) -> bool:
        """Whether the headers of a request are still to come, in part or all."""
        return self.conn.their_state is h11.IDLE

    @property
    def is_sending(self) -> bool:
        """Whether more of a body is to come, and this server would take it."""
        return self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused

    def overdue(self) -> str:
        """What took too long, "" where nothing did. To be asked every LOOK_EVERY_S."""
        limits = self.limits
        if self.is_waiting and self.timeout_keep_alive_task is None:
            return "headers" if self.loop.time() - self._since > limits.header_s else ""
        if self.is_sending:  # while the application does not take it, it is not the client that is slow
            self._sending += 1
            self._silent += 1
            seconds = self._sending * LOOK_EVERY_S
            too_few = seconds > limits.body_pause_s and self._body_bytes < limits.body_bytes_per_s * seconds
            if too_few or self._silent * LOOK_EVERY_S > limits.body_pause_s:
                return "body"
        unsent = self.transport.get_write_buffer_size()
        self._stuck = self._stuck + 1 if unsent and unsent == self._unsent else 0
        self._unsent = unsent
        return "answer" if self._stuck * LOOK_EVERY_S > limits.answer_pause_s else ""

    def refuse(self, status: bytes) -> None:
        """Answer without the application, and close."""
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + _REFUSED)
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What Uvicorn calls for what is no HTTP."""
        self.refuse(b"400 Bad Request")

    def _make_room(self) -> bool:
        """End the connection that has kept the server waiting longest. False: all of them are at work."""
        waiting = [
            other
            for other in self.connections
            if isinstance(other, BoundedProtocol)
            and other is not self
            and (other.is_waiting or other.is_sending or other.flow.write_paused)
            and not other.transport.is_closing()
        ]
        slowest = min(waiting, key=lambda other: other._since, default=None)
        if slowest is None:
            return False
        slowest.transport.abort()
        return True


def _is_handshake(event: h11.Request) -> bool:
    """Whether a WebSocket can be opened: what refuses it further inside knows nothing of our headers."""
    headers = {name.lower(): value for name, value in event.headers}
    is_known = headers.get(b"sec-websocket-version") == b"13" and _KEY.fullmatch(headers.get(b"sec-websocket-key", b""))
    return event.method == b"GET" and bool(is_known)


class _Watch:
    """Looks through the connections of one server every second."""

    _all: "WeakKeyDictionary[ServerState, _Watch]" = WeakKeyDictionary()

    def __init__(self, state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self._connections = state.connections
        self._loop = loop
        self._is_running = False

    @classmethod
    def of(cls, state: ServerState, loop: asyncio.AbstractEventLoop) -> "_Watch":
        if state not in cls._all:
            cls._all[state] = cls(state, loop)
        return cls._all[state]

    def start(self) -> None:
        if not self._is_running:
            self._is_running = True
            self._loop.call_later(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        for connection in list(self._connections):
            if not isinstance(connection, BoundedProtocol):
                continue
            what = connection.overdue()
            if what == "headers":
                connection.refuse(b"408 Request Timeout")
            elif what:
                connection.transport.abort()
        self._is_running = bool(self._connections)
        if self._is_running:
            self._loop.call_later(LOOK_EVERY_S, self._look)
