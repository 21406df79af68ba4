"""Put the headers of every answer on those of an application."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from aion_assets.core.door.headers import HEADERS


def with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["cache-control"] = HEADERS["cache-control"]  # whatever a route says: what it shows may be forgotten
        await send(message)

    return guarded


def refusing_with_headers(scope: Scope, send: Send) -> Send:
    """For a WebSocket: one that is closed before it was opened is answered with 403, which carries the headers, too."""
    is_open = "websocket.http.response" not in scope.get("extensions", {})

    async def guarded(message: Message) -> None:
        nonlocal is_open
        if message["type"] != "websocket.close" or is_open:
            is_open = True
            await send(message)
            return
        headers = [(name.encode(), value.encode()) for name, value in {**HEADERS, "content-length": "0"}.items()]
        await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})

    return guarded
