"""The application: its routes, its shield, and the assistant that they share."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from aion_assets.core.door.names import Names
from aion_assets.core.errors import AionError
from aion_assets.core.settings import Settings
from aion_serving import pages
from aion_serving.answering.assistant import Assistant
from aion_serving.answering.generations import Generations
from aion_serving.api import (
    ai_chat,
    chat,
    corrections,
    curating,
    exporting,
    feedback,
    health,
    ingesting,
    labelling,
    openai,
    originals,
    reports,
    streaming,
    training,
    websocket,
)
from aion_serving.middleware.lanes import Lanes
from aion_serving.middleware.problems import Problem, add_problem_handlers
from aion_serving.middleware.shield import Shield

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 2.0
_LOOKS_AT_MODELS = 5  # of these rounds one looks whether the model servers live and have the right adapter

_DESCRIPTION = """
Ask the knowledge base of your organisation, see where every answer came from, and decide what it may know.

Errors are one object, `{error, next_step}`: what is wrong, and what to do about it.
"""
_TAGS = [
    {"name": "Questions", "description": "Ask, search, and follow an answer back to its sources."},
    {"name": "Feedback", "description": "Say what an answer was worth; AION learns from it."},
    {"name": "Corrections", "description": "What people say an answer should have been, and a curator's decision."},
    {"name": "Training", "description": "Start what learns from it, see its outcome, and cancel it."},
    {"name": "Knowledge", "description": "What the base holds, what waits for a curator, and deciding it."},
    {"name": "Ingestion", "description": "Hand in files and links."},
    {"name": "Export", "description": "Hand out what was recorded."},
    {"name": "Health", "description": "For whatever watches the process."},
]


def create_app(settings: Settings, *, watch_releases: bool = False) -> FastAPI:
    """Opens nothing. The warm-up at start, or the first request, opens database, release and model.

    `watch_releases`: open every new release as soon as it is published, not with the first question after it.
    """
    app = FastAPI(
        title="AION",
        version=version("aion"),
        summary="A self-hosted assistant over your organisation's own knowledge.",
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,  # FastAPI's page loads scripts from other hosts; ours is in pages
        redoc_url=None,
        responses={422: {"model": Problem, "description": "The request is not as it should be."}},
        lifespan=_lifespan,
    )
    app.state.assistant = Assistant(settings)
    app.state.generations = Generations(app.state.assistant)
    app.state.watch_releases = watch_releases
    app.add_middleware(Lanes)
    app.add_middleware(Shield, names=Names(settings.host, settings.allowed_hosts), file_bytes=settings.max_fetch_bytes)
    add_problem_handlers(app)
    for module in (
        chat,
        ai_chat,
        streaming,
        websocket,
        openai,
        feedback,
        corrections,
        training,
        labelling,
        curating,
        originals,
        ingesting,
        exporting,
        reports,
        health,
    ):
        app.include_router(module.router)
    pages.add_pages(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Loading the model takes seconds. Meanwhile the server answers /health and /ready.
    stopped = threading.Event()
    if not app.state.watch_releases:
        stopped.set()
    threading.Thread(target=keep_ready, args=(app.state.assistant, stopped), name="keep-ready", daemon=True).start()
    yield
    stopped.set()
    await asyncio.to_thread(app.state.generations.close)


def keep_ready(assistant: Assistant, stopped: threading.Event) -> None:
    """Load what the first question needs. Then open every new release before a question has to wait for it.

    Does so once if `stop` is set from the start.
    """
    is_warm, said, rounds = False, "", 0
    while True:
        try:
            if is_warm:
                assistant.release()
            else:
                assistant.warm_up()
            if rounds % _LOOKS_AT_MODELS == 0:
                assistant.keep_adapter()
                assistant.chain.look()
            rounds += 1
            is_warm, said = True, ""
        except AionError as error:
            if str(error) != said:
                said = str(error)
                _log.warning("Not ready yet: %s", said)
        if stopped.wait(_LOOK_EVERY_S):
            return
