"""Ask the name server, in threads of its own and with a deadline.

The system's resolver cannot be interrupted, and may wait minutes for a server that does not answer. Here it waits in
one of a few threads: who asks gets an answer in time, and nothing else of the process stands still. Threads that still
wait when the process ends do not hold it up.
"""

import asyncio
import queue
import socket
import threading
from concurrent.futures import Future
from typing import Any

# Within it, every resolver that works has answered, or has asked its second server.
LOOKUP_S = 10.0
_MOST_AT_ONCE = 32

Found = list[tuple[Any, ...]]


class _Lookups:
    """Whoever asks for a name that is being looked up waits for the same answer."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._asked: dict[tuple[str, int], Future[Found]] = {}
        self._threads = 0
        self._changing = threading.Lock()

    def ask(self, host: str, port: int) -> "Future[Found]":
        with self._changing:
            if (asked := self._asked.get((host, port))) is not None:
                return asked
            asked = self._asked[host, port] = Future()
            if self._threads < min(_MOST_AT_ONCE, len(self._asked)):
                self._threads += 1
                threading.Thread(target=self._work, name="name-lookup", daemon=True).start()
        self._waiting.put((host, port))
        return asked

    def _work(self) -> None:
        while True:
            host, port = self._waiting.get()
            found: Found | BaseException
            try:
                found = _getaddrinfo(host, port)
            except BaseException as error:
                found = error
            with self._changing:
                asked = self._asked.pop((host, port))
            if isinstance(found, BaseException):
                asked.set_exception(found)
            else:
                asked.set_result(found)


_lookups = _Lookups()


def lookup(host: str, port: int, timeout_s: float = LOOKUP_S) -> Found:
    """What `getaddrinfo` finds. Raises OSError: the name does not resolve, or not in time."""
    try:
        return _lookups.ask(host, port).result(timeout_s)
    except TimeoutError:
        raise _late(host, timeout_s) from None


async def lookup_async(host: str, port: int, timeout_s: float = LOOKUP_S) -> Found:
    """As `lookup`, without blocking the event loop."""
    asked = asyncio.wrap_future(_lookups.ask(host, port))
    asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # somebody else may have asked, too
    try:
        return await asyncio.wait_for(asyncio.shield(asked), timeout_s)
    except TimeoutError:
        raise _late(host, timeout_s) from None


def _late(host: str, timeout_s: float) -> OSError:
    return OSError(f"the name server did not answer to {host} in {timeout_s:g} s")


def _getaddrinfo(host: str, port: int) -> Found:
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except UnicodeError as error:  # a label that is empty or too long
        raise OSError(f"{host!r} is not a host name") from error
