"""A knowledge base made by the real steps from a small folder, and a real server over it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from serving_base import KnowledgeBase, serving

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
