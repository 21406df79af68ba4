"""Whether a database is whole and can be written: looked at, never changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from aion_assets.core.database.engine import Database

_TIMEOUT_S = 5.0


def complaint(database: Database) -> str:
    """What is wrong with it, "" where nothing is. Raises DatabaseError: it cannot be used at all."""
    if database.engine.dialect.name == "sqlite":
        file = database.engine.url.database
        return file_complaint(Path(file)) if file else ""
    with database.write() as connection:
        connection.execute(text("SELECT 1"))
    return ""


def file_complaint(file: Path) -> str:
    """Of a SQLite file: reads every page of it, and begins to write."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True, timeout=_TIMEOUT_S)) as connection:
            connection.isolation_level = None
            (said,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if said != "ok":
                return f"{file.name} is damaged: {said.splitlines()[0]}"
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA user_version = {version}")  # a lock alone is given on a read-only disk, too
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return f"{file.name} cannot be used: {error}"
    return ""
