"""Stores for tests that work on them: Lance tables, SQLite and, where it can be had, PostgreSQL."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from loopback import CountingSite, counting_site
from workbench import Workbench

from aion_assets.core.database import Database, open_database
from aion_assets.core.settings import Settings

POSTGRES = "127.0.0.1:5432"


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
    with _scratch_database() as url:
        with_url = settings.model_copy(update={"database_url": url})
        database = open_database(with_url)
        yield database, with_url
        database.engine.dispose()


@contextmanager
def _scratch_database() -> Iterator[str]:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import OperationalError

    user = os.environ.get("PGUSER", "postgres")
    engine = create_engine(f"postgresql+psycopg2://{user}@{POSTGRES}/postgres", isolation_level="AUTOCOMMIT")
    name = f"aion_test_{uuid.uuid4().hex[:12]}"
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        pytest.skip(f"no PostgreSQL that trusts {user} at {POSTGRES}: {str(error.orig).splitlines()[0]}")
    try:
        yield f"postgresql://{user}@{POSTGRES}/{name}"
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()
