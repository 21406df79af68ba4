import threading
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from aion_assets.core.database import learning_tables, stream_tables, tables
from aion_assets.core.database.engine import Database, now, open_database
from aion_assets.core.database.upgrade import HEAD
from aion_assets.core.errors import DatabaseError, SettingsError
from aion_assets.core.settings import Settings

Either = tuple[Database, Settings]


def _event(kind: str = "k") -> dict[str, object]:
    return {"tenant_id": "t", "kind": kind, "created_at": now(), "body": {"ção": [1, None]}}


def test_the_migrations_make_the_tables_that_the_code_knows(either_database: Either) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database, _ = either_database
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert learning_tables.metadata is stream_tables.metadata
        assert compare_metadata(context, stream_tables.metadata) == []


def test_a_failed_write_leaves_nothing_behind(either_database: Either) -> None:
    database, _ = either_database
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute(insert(tables.events).values(_event()))
        _ = 1 / 0
    with database.read() as connection:
        assert connection.execute(select(tables.events)).all() == []


def test_times_and_json_come_back_as_they_went_in(either_database: Either) -> None:
    database, _ = either_database
    event = _event()
    with database.write() as connection:
        connection.execute(insert(tables.events).values(event))
    with database.read() as connection:
        row = connection.execute(select(tables.events)).one()
    assert (row.created_at, row.body) == (event["created_at"], event["body"])


def test_a_moment_comes_back_in_utc_and_a_time_without_a_zone_is_refused(either_database: Either) -> None:
    database, _ = either_database
    noon = datetime(2026, 11, 28, 9, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
    with database.write() as connection:
        connection.execute(insert(tables.events).values(_event() | {"created_at": noon}))
    with database.read() as connection:
        found = connection.execute(select(tables.events.c.created_at)).scalar_one()
    assert found == noon and found.utcoffset() == timedelta(0)
    with pytest.raises(DatabaseError), database.write() as connection:
        connection.execute(insert(tables.events).values(_event() | {"created_at": datetime(2026, 11, 28)}))


def test_many_writers_at_once_lose_nothing(either_database: Either) -> None:
    database, _ = either_database

    def write() -> None:
        for _ in range(5):
            with database.write() as connection:
                connection.execute(insert(tables.events).values(_event()))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert len(connection.execute(select(tables.events)).all()) == 20


def test_a_statement_that_is_refused_says_why(either_database: Either) -> None:
    database, _ = either_database
    with pytest.raises(DatabaseError, match="kind"), database.write() as connection:
        connection.execute(insert(tables.events).values(_event() | {"kind": None}))


@pytest.mark.parametrize("kind", [OperationalError, IntegrityError])
def test_a_driver_that_says_nothing_still_gives_a_clear_error(either_database: Either, kind: type[DBAPIError]) -> None:
    with pytest.raises(DatabaseError, match=kind.__name__), either_database[0].read():
        raise kind("SELECT 1", {}, Exception())


def test_a_database_of_a_newer_aion_is_left_alone(either_database: Either) -> None:
    database, settings = either_database
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    open_database.cache_clear()
    with pytest.raises(DatabaseError, match="9999"):
        open_database(settings)


def test_a_server_that_is_not_there_is_named_with_the_setting(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"database_url": "postgresql://postgres@127.0.0.1:1/aion"})
    with pytest.raises(DatabaseError, match="AION_DATABASE_URL"):
        open_database(nowhere)


@pytest.mark.parametrize(
    "url", ["postgresql://aion:se@cret@db/aion", "postgresql://aion:secret@db:port/aion", "sqlite://secret/aion"]
)
def test_an_address_that_cannot_be_read_is_not_shown_as_it_may_hold_a_password(settings: Settings, url: str) -> None:
    with pytest.raises(DatabaseError, match=r"AION_DATABASE_URL cannot be read.*%40") as refused:
        open_database(settings.model_copy(update={"database_url": url}))
    assert "cret" not in str(refused.value)


def test_a_file_that_is_no_database_is_an_error_not_a_new_database(settings: Settings, home: Path) -> None:
    home.mkdir()
    file = home / "aion.sqlite"
    file.write_bytes(b"no database, but somebody's text\n" * 100)
    with pytest.raises(DatabaseError):
        open_database(settings)
    assert file.read_bytes().startswith(b"no database")


def test_an_error_tells_nothing_of_what_was_written(either_database: Either) -> None:
    database, _ = either_database
    with pytest.raises(DatabaseError) as caught, database.write() as connection:
        connection.execute(insert(tables.events).values(_event("a private question") | {"tenant_id": None}))
    assert "refused" in str(caught.value)
    assert "private" not in f"{caught.value} {caught.value.__cause__}"


def test_a_home_that_cannot_be_made_is_named(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="/proc/nothing/here"):
        open_database(settings.model_copy(update={"home": Path("/proc/nothing/here"), "database_url": ""}))
