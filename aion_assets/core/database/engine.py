"""AION's own database: SQLite in the home by default, PostgreSQL by setting. Same tables, same code."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from aion_assets.core.database.upgrade import upgrade
from aion_assets.core.errors import DatabaseError, DiskFullError, SettingsError
from aion_assets.core.settings import Settings

_BUSY_TIMEOUT_S = 30
_IMPATIENT_S = 0.2


class Database:
    """`read()` sees committed state; `write()` is one transaction, and on SQLite the only one at that time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with clear_errors(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def read_at_once(self) -> Iterator[Connection]:
        """As `read()`, but a database that is locked raises DatabaseError within a moment, and connections that wait
        for it are not waited for.
        """
        with clear_errors(), self._impatient.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @cached_property
    def _impatient(self) -> Engine:
        if self.engine.dialect.name != "sqlite":
            return self.engine  # readers wait for nobody there
        options = {"timeout": _IMPATIENT_S}
        return create_engine(self.engine.url, connect_args=options, poolclass=NullPool, hide_parameters=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with clear_errors(), self.engine.begin() as connection:
            yield connection


@lru_cache(maxsize=4)
def open_database(settings: Settings) -> Database:
    """The database, brought to the newest schema.

    Raises DatabaseError: it cannot be reached. SettingsError: there is no such home, and none can be made.
    """
    try:
        engine = _engine(settings.sqlalchemy_url)
    except (ArgumentError, ValueError):  # its message may hold the password
        raise DatabaseError(
            "AION_DATABASE_URL cannot be read as an address.",
            "Write postgresql://user:password@host:port/database, with %40 for an @ in the password, or "
            "sqlite:////folder/file.",
        ) from None
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"AION_HOME has value '{settings.home}', which cannot be made: {error.strerror}.",
            "Name a folder that you may write to.",
        ) from error
    with clear_errors():
        upgrade(engine, settings)
    return Database(engine)


def _engine(url: str) -> Engine:
    """Raises ArgumentError or ValueError: the URL is malformed."""
    if "@" in (make_url(url).host or ""):  # the end of a password, which the driver would report as an unknown host
        raise ValueError("an @ in the password")
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    # A rollback journal, not WAL: SQLite up to 3.50 may corrupt a WAL that is reset while being read.
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def keep_writers_out(connection: Connection, table: Table) -> None:
    """Make other writers of the table wait for the end of this transaction. On SQLite they always do."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def now() -> datetime:
    return datetime.now(UTC)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # _begin_immediate begins transactions, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_S}000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # Take the write lock at once: two readers that both want to write would deadlock.
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def clear_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        reason = _first_line(error)
        if "disk is full" in reason or "No space left" in reason:  # the words of SQLite and of PostgreSQL
            raise DiskFullError(
                "No space is left to write AION's database.", "Free some space and try again."
            ) from error
        if "readonly database" in reason or "read-only" in reason:
            raise DatabaseError(
                "AION's database cannot be written: it, or its disk, is read-only.",
                "Make it writable; 'aion search' and 'aion doctor' work meanwhile.",
            ) from error
        raise DatabaseError(
            f"AION's database cannot be used: {reason}.",
            "Check AION_DATABASE_URL and that the server runs (aion doctor).",
        ) from error
    except SQLAlchemyError as error:
        raise DatabaseError(
            f"AION's database refused a statement: {_first_line(error)}.", "Nothing of it was written."
        ) from None


def _first_line(error: SQLAlchemyError) -> str:
    """The first line only. The statement, and what PostgreSQL adds below, may hold the text of a question."""
    said = str(getattr(error, "orig", None) or "").strip()  # a driver may say nothing at all
    return said.splitlines()[0] if said else type(error).__name__
