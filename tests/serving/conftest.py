"""A knowledge base made by the real steps from a small folder, and a real server over it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from serving_base import KnowledgeBase

from aion_assets.core.settings import Settings


@pytest.fixture(scope="session")
def shared_base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """For tests that only ask; what it holds is never changed."""
    base = KnowledgeBase(tmp_path_factory.mktemp("shared"))
    base.ingest()
    return base


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    """For tests that change what is known."""
    base = KnowledgeBase(tmp_path)
    base.ingest()
    return base


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """A real server on a free port of loopback, and a client that talks to it as a browser would."""
    import uvicorn

    from aion_assets.core.door.server import bounded
    from aion_serving.app import create_app

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = bounded(create_app(settings), host="127.0.0.1", port=port, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def client(shared_base: KnowledgeBase) -> Iterator[httpx.Client]:
    """Of a server over the shared base: for tests that change nothing."""
    with serving(shared_base.settings) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Callable[[Settings], httpx.Client]]:
    """Starts further servers; they stop with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(serving(settings))
