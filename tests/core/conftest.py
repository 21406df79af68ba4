"""Stores for tests that work on them: Lance tables, SQLite and, where it can be had, PostgreSQL."""

from collections.abc import Iterator

import pytest
from loopback import CountingSite, counting_site
from scratch_database import scratch_database
from workbench import Workbench

from aion_assets.core.database.engine import Database, open_database
from aion_assets.core.settings import Settings


@pytest.fixture
def workbench(settings: Settings) -> Iterator[Workbench]:
    made = Workbench(settings)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def web() -> Iterator[CountingSite]:
    with counting_site() as site:
        yield site


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, settings: Settings) -> Iterator[tuple[Database, Settings]]:
    """The same test on SQLite and on a scratch database of a PostgreSQL that trusts loopback."""
    if request.param == "sqlite":
        database = open_database(settings)
        yield database, settings
        database.engine.dispose()
        return
    with scratch_database() as url:
        with_url = settings.model_copy(update={"database_url": url})
        database = open_database(with_url)
        yield database, with_url
        database.engine.dispose()
