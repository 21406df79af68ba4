"""Requests that may have to wait leave room for those that need not.

Routes run in a few threads. One that writes to a locked database, or asks a slow name server, keeps its thread until
that is over. So only some of the threads are for such requests, and the page, searches and health always find a free
one.
"""

import asyncio

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aion_serving.middleware.headers import with_headers
from aion_serving.middleware.problems import problem

# Threads of a server; AnyIO itself would give it 40.
THREADS = 64
_SLOW = 40
# A request that found no place in so long is refused.
_LONGEST_WAIT_S = 30.0
# What never writes, and asks the database for nothing but what `Steady` knows.
_QUICK = frozenset({"/", "/docs", "/favicon.ico", "/health", "/ready", "/api/search", "/openapi.json", "/v1/models"})
_QUICK_BEGIN = "/static/"


class Lanes:
    """ASGI middleware inside the shield."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._slow: asyncio.Semaphore | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUICK or scope["path"].startswith(_QUICK_BEGIN):
            await self._app(scope, receive, send)
            return
        if self._slow is None:  # in the loop that serves
            self._slow = asyncio.Semaphore(_SLOW)
            to_thread.current_default_thread_limiter().total_tokens = THREADS
        place = self._slow
        try:
            await asyncio.wait_for(place.acquire(), _LONGEST_WAIT_S)
        except TimeoutError:
            said = f"{_SLOW} requests are waiting already, perhaps for the database or a name server."
            await problem(503, said, "Try again in a moment.")(scope, receive, with_headers(send))
            return
        is_held = True

        async def releasing(message: Message) -> None:
            nonlocal is_held
            if is_held and message["type"] == "http.response.start":  # what streams from now on needs no thread
                is_held = False
                place.release()
            await send(message)

        try:
            await self._app(scope, receive, releasing)
        finally:
            if is_held:
                place.release()
