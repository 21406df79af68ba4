"""A PostgreSQL database that a test has for itself."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

POSTGRES = "127.0.0.1:5432"


@contextmanager
def scratch_database() -> Iterator[str]:
    """Its URL; skips the test where no PostgreSQL trusts loopback."""
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
