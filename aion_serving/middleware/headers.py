"""Put the headers of every answer on those of an application."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

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
