"""The shield between network and application: which hosts are accepted, how much may be sent, what a browser may do."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aion_assets.core.settings import Settings
from aion_serving.middleware.problems import NEXT_STEPS, RefusedError, problem

UPLOAD_PATH = "/kb/ingest/file"
MAX_REQUEST_BYTES = 1_000_000
# Room for the boundaries and the other fields of a form beside its file.
FORM_BYTES = 64_000
# So much of a body that is too large is still read and dropped. A client that is cut off while it sends often never
# sees the answer.
_DRAINED_BYTES = 256_000_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": _PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Shield:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._upload_bytes = settings.max_fetch_bytes + FORM_BYTES
        # A page of any site may try to reach the server under a host name of its own that resolves to 127.0.0.1.
        self._hosts = frozenset({"localhost", settings.host.lower()}) if is_loopback(settings.host) else frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        guarded = _with_headers(send)
        if refused := self._refused(scope, headers):
            await problem(refused.status, refused.what, refused.next_step)(scope, receive, guarded)
            return
        most = self._upload_bytes if scope["path"] == UPLOAD_PATH else MAX_REQUEST_BYTES
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            await _drain(receive, 0)
            await problem(413, _too_large(most), NEXT_STEPS[413])(scope, receive, guarded)
            return
        if scope["method"] == "HEAD":  # sent by monitors and link checkers; the web server leaves out the body
            scope = {**scope, "method": "GET"}
        await self._app(scope, _counted(receive, most), guarded)

    def _refused(self, scope: Scope, headers: Headers) -> RefusedError | None:
        if "\0" in scope["path"]:
            return RefusedError(400, "The address holds a NUL character.", "Leave out the %00.")
        host = headers.get("host", "")
        name = _hostname(f"//{host}")
        if self._hosts and name not in self._hosts and not is_loopback(name):
            return RefusedError(
                400, "This server is not known by that host name.", "Use http://127.0.0.1 and the port it listens on."
            )
        origin = headers.get("origin", "")
        if scope["method"] not in _SAFE_METHODS and origin and _netloc(origin) != host.lower():
            return RefusedError(403, "Pages of other sites may not act here.", "Open AION's own page.")
        return None


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded


def _counted(receive: Receive, most: int) -> Receive:
    """Receive the body and count it. A body without a declared length fails once it is too large."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                if message.get("more_body"):
                    await _drain(receive, taken)
                # While it reads a body, FastAPI lets only its own kind of error through.
                raise HTTPException(413, _too_large(most))
        return message

    return counted


async def _drain(receive: Receive, taken: int) -> None:
    while taken <= _DRAINED_BYTES:
        message = await receive()
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def _too_large(most: int) -> str:
    return f"The request is larger than {most} bytes."
