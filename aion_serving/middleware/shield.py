"""The shield between network and application: which hosts are accepted, how much may be sent, what a browser may do."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aion_assets.core.door.names import Names, is_own_page
from aion_serving.middleware.headers import refusing_with_headers, with_headers
from aion_serving.middleware.problems import NEXT_STEPS, RefusedError, problem
from aion_serving.middleware.texts import unstorable_address, unstorable_body

UPLOAD_PATH = "/kb/ingest/file"
MAX_REQUEST_BYTES = 1_000_000
# Room for the boundaries and the other fields of a form beside its file.
FORM_BYTES = 64_000
# So much of a body that is too large is still read and dropped. A client that is cut off while it sends often never
# sees the answer.
_DRAINED_BYTES = 256_000_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FOREIGN = frozenset({"cross-site", "same-site"})
# Where a GET does something: it asks a question, which is recorded, or lets a model write.
_ACTING = ("/api/chat/stream", "/stream", "/v1/")


class Shield:
    """ASGI middleware around the whole application. `names`: None where every caller proves by a secret that it is no
    page. `file_bytes`: the largest file that is taken.
    """

    def __init__(
        self, app: ASGIApp, names: Names | None, *, request_bytes: int = MAX_REQUEST_BYTES, file_bytes: int = 0
    ) -> None:
        self._app = app
        self._request_bytes = request_bytes
        self._upload_bytes = file_bytes + FORM_BYTES
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if self._refuses_socket(scope):
                await refusing_with_headers(scope, send)({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, refusing_with_headers(scope, send))
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        guarded = with_headers(send)
        if refused := self._refused(scope, headers):
            await problem(refused.status, refused.what, refused.next_step)(scope, receive, guarded)
            return
        most = self._upload_bytes if scope["path"] == UPLOAD_PATH else self._request_bytes
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            await _drain(receive, 0)
            await problem(413, _too_large(most), NEXT_STEPS[413])(scope, receive, guarded)
            return
        if scope["method"] == "HEAD":  # sent by monitors and link checkers; the web server leaves out the body
            scope = {**scope, "method": "GET"}
        receive = _counted(receive, most)
        if not headers.get("content-type", "").startswith("multipart/"):
            try:
                body = await _whole(receive)
            except HTTPException as error:
                await problem(error.status_code, error.detail, NEXT_STEPS[413])(scope, receive, guarded)
                return
            if body is None:
                return  # the client left
            if wrong := unstorable_body(body):
                await problem(422, f"The body holds {wrong}.", "Leave it out.")(scope, receive, guarded)
                return
            receive = _again(body, receive)
        await self._app(scope, receive, guarded)

    def _refuses_socket(self, scope: Scope) -> bool:
        """Browsers let a page of any site open a WebSocket to any server, and send along where the page is from."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin", "")
        return not self._knows(host) or bool(origin and not is_own_page(origin, host))

    def _knows(self, host: str) -> bool:
        return self._names is None or self._names.include(host)

    def _refused(self, scope: Scope, headers: Headers) -> RefusedError | None:
        if wrong := unstorable_address(scope["path"], scope["query_string"]):
            return RefusedError(400, f"The address holds {wrong}.", "Leave out the %00.")
        host = headers.get("host", "")
        if not self._knows(host):
            return RefusedError(
                400,
                "This server is not known by that host name.",
                "Use http://127.0.0.1 and the port it listens on, or add the name to AION_ALLOWED_HOSTS.",
            )
        origin = headers.get("origin", "")
        may_act = scope["method"] not in _SAFE_METHODS
        if (may_act and origin and not is_own_page(origin, host)) or _is_of_a_foreign_page(scope, headers):
            return RefusedError(403, "Pages of other sites may not act here.", "Open AION's own page.")
        return None


def _is_of_a_foreign_page(scope: Scope, headers: Headers) -> bool:
    """Whether a page of another site sent it, as a browser tells. Images, scripts and frames name no origin. The page
    may link here, but not to what acts.
    """
    if headers.get("sec-fetch-site") not in _FOREIGN:
        return False
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not is_link or scope["method"] not in _SAFE_METHODS or scope["path"].startswith(_ACTING)


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


async def _whole(receive: Receive) -> bytes | None:
    """The whole body, which is at most as large as a request may be; None where it did not come to its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, and then what comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _drain(receive: Receive, taken: int) -> None:
    while taken <= _DRAINED_BYTES:
        message = await receive()
        taken += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def _too_large(most: int) -> str:
    return f"The request is larger than {most} bytes."
