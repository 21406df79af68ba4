"""Bring the database of an older AION up to this schema: a copy first, then all migrations in one transaction."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from aion_assets.core.errors import DatabaseError, SettingsError
from aion_assets.core.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0014"
# Copies of earlier upgrades that are kept. Each is as large as the database was.
_KEPT_COPIES = 2
_COPY = "before-upgrade-from-"
_SCHEMA_COPY = "aion_before_"

_log = logging.getLogger(__name__)


def upgrade(engine: Engine, settings: Settings) -> None:
    """Does nothing to a database that is up to date. A kill in the middle leaves it as it was.

    Raises DatabaseError: its schema is of a newer AION. SettingsError: the home cannot be written to.
    """
    if _found(engine) == HEAD:
        return
    from filelock import FileLock

    with _in_home(settings), FileLock(settings.home / ".migration.lock"):
        found = _found(engine)  # another process may have been first
        if found == HEAD:
            return
        if found is not None:
            _refuse_unknown(found)
            _copy(engine, settings, found)
        _migrate(engine)


def _found(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def _refuse_unknown(found: str) -> None:
    known = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    if found not in known:
        raise DatabaseError(
            f"AION's database has schema {found!r}, which this version of AION ({HEAD}) does not know.",
            f"Install an AION that knows schema {found}, or a newer one.",
        )


def _copy(engine: Engine, settings: Settings, found: str) -> None:
    if engine.dialect.name == "sqlite":
        _copy_file(Path(str(engine.url.database)), settings.home / "copies", found)
    else:
        with engine.begin() as connection:
            _copy_schema(connection, found)


def _copy_file(database: Path, folder: Path, found: str) -> None:
    folder.mkdir(exist_ok=True)
    target = folder / f"{_COPY}{found}.sqlite"
    unfinished = target.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(unfinished)) as copy:
        source.backup(copy)
    unfinished.replace(target)
    for old in sorted(folder.glob(f"{_COPY}*.sqlite"))[:-_KEPT_COPIES]:
        old.unlink()
    _log.warning("AION's database is upgraded from schema %s to %s; a copy of before is %s.", found, HEAD, target)


def _copy_schema(connection: Connection, found: str) -> None:
    """PostgreSQL: copy into a second schema, because the dump tools may not be on this machine."""
    preparer = connection.dialect.identifier_preparer
    name = f"{_SCHEMA_COPY}{found}"
    connection.execute(text(f"DROP SCHEMA IF EXISTS {preparer.quote(name)} CASCADE"))
    connection.execute(text(f"CREATE SCHEMA {preparer.quote(name)}"))
    for table in inspect(connection).get_table_names():
        quoted = preparer.quote(table)
        connection.execute(text(f"CREATE TABLE {preparer.quote(name)}.{quoted} AS TABLE {quoted}"))
    copies = sorted(known for known in inspect(connection).get_schema_names() if known.startswith(_SCHEMA_COPY))
    for old in copies[:-_KEPT_COPIES]:
        connection.execute(text(f"DROP SCHEMA {preparer.quote(old)} CASCADE"))
    _log.warning("AION's database is upgraded from schema %s to %s; a copy of before is schema %s.", found, HEAD, name)


@contextmanager
def _in_home(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"AION_HOME has value '{settings.home}', which cannot be written to: {error.strerror}.",
            "Name a folder that you may write to.",
        ) from error
