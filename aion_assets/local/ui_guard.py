"""The guard before Dagster's user interface: only its own pages, open in a browser on this machine, may act.

Dagster's webserver takes GraphQL by any method and from any site, under any name. A page of another site could start
runs with a form, stop a sensor with an image, and read everything under a name that leads to 127.0.0.1. This guard is
an ASGI application around Dagster's, in the webserver's own process: there is no port without it.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from aion_assets.core.door.names import Names, is_own_page

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_GRAPHQL = "/graphql"
_FOREIGN = frozenset({"cross-site", "same-site"})
# A longer query than any page sends.
_MOST_BODY_BYTES = 10_000_000
_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
}
# What comes with the package, and says nothing of this base.
_PUBLIC_TYPES = ("text/css", "text/javascript", "application/javascript", "font/", "image/")


class UiGuard:
    def __init__(self, app: ASGIApp, names: Names) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":
            if self._knows(headers) and is_own_page(headers.get("origin", ""), headers.get("host", "")):
                await self._app(scope, receive, send)
            else:
                await WebSocketClose(1008)(scope, receive, send)
            return
        if refusal := self._refusal(scope, headers):
            await refusal(scope, receive, _guarded(send))
            return
        if scope["path"].rstrip("/") == _GRAPHQL and scope["method"] in _READING:
            scope = {**scope, "query_string": b""}  # the page for trying queries, and nothing to run
        await self._app(scope, receive, _guarded(send))

    def _knows(self, headers: Headers) -> bool:
        return self._names.include(headers.get("host", ""))

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if not self._knows(headers):
            return PlainTextResponse("This server is not known by that host name; use http://127.0.0.1.", 400)
        if scope["method"] in _READING:
            # A page of another site may link here. It may not load from here, as images and scripts do.
            is_link = headers.get("sec-fetch-mode", "navigate") == "navigate"
            if headers.get("sec-fetch-site") in _FOREIGN and not is_link:
                return PlainTextResponse("Pages of other sites may not load from here.", 403)
            return None
        if not is_own_page(headers.get("origin", ""), headers.get("host", "")):
            return PlainTextResponse("Only Dagster's own pages may act here.", 403)
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return PlainTextResponse("Only JSON is taken here.", 415)
        length = headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _MOST_BODY_BYTES:
            return PlainTextResponse(f"A body of known length is taken, up to {_MOST_BODY_BYTES} bytes.", 413)
        return None


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            if not headers.get("content-type", "").startswith(_PUBLIC_TYPES):
                headers["cache-control"] = "no-store"
        await send(message)

    return guarded
