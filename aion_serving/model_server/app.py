"""The model server: one base model in a process of its own, so that the AION server stays small and lives on."""

import hmac
import logging
from importlib.metadata import version

from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aion_assets.core.door.names import Names, is_loopback
from aion_assets.core.settings import Settings
from aion_serving.middleware.problems import add_problem_handlers
from aion_serving.middleware.shield import Shield
from aion_serving.model_server import openai_routes, plain_routes
from aion_serving.model_server.served import ServedModel

_log = logging.getLogger(__name__)
# Room for the passages of a question, and for some hundred texts to embed.
_MOST_BYTES = 16_000_000


def create_model_app(settings: Settings, served: ServedModel) -> FastAPI:
    app = FastAPI(title="AION model server", version=version("aion"), docs_url=None, redoc_url=None)
    app.state.served = served
    names: Names | None = Names(settings.model_host, settings.allowed_hosts)
    if settings.worker_token:
        app.add_middleware(Token, token=settings.worker_token)
        names = None  # no page of a browser knows the token, and AION calls the server by whatever name it has
    elif not is_loopback(settings.model_host):
        _log.warning("Anybody who reaches %s may use the model: AION_WORKER_TOKEN is empty.", settings.model_host)
    app.add_middleware(Shield, names=names, request_bytes=_MOST_BYTES)
    add_problem_handlers(app)
    app.include_router(plain_routes.router)
    app.include_router(openai_routes.router)
    return app


class Token:
    """ASGI middleware: callers send the token as a bearer. /health is for whoever watches the process."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":
            sent = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(sent, self._expected):
                refused = {"error": "The token is missing or wrong.", "next_step": "Send that of AION_WORKER_TOKEN."}
                await JSONResponse(refused, 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)
