"""What was read from the database holds as long as nothing was committed since, even while it is locked.

Somebody may keep a SQLite database locked for minutes: a copy of it, a large transaction, a tool that a person left
open. A reader would wait. But SQLite counts its commits in the header of its file, and the header can be read without
any lock: while the count is the same, what was read before is what would be read now.
"""

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from sqlalchemy import Connection

from aion_assets.core.database.engine import Database
from aion_assets.core.errors import DatabaseError

# Of the file header: https://www.sqlite.org/fileformat.html, 1.3.7. It counts in this journal mode, not in WAL.
_COUNT_AT, _COUNT_BYTES = 24, 4
_T = TypeVar("_T")


class Steady(Generic[_T]):
    """`read` is asked each time, and what it gave last stands in while the database is locked and unchanged. Safe to
    share between threads.
    """

    def __init__(self, database: Database, read: Callable[[Connection], _T]) -> None:
        self._database = database
        self._read = read
        self._commits = _Commits(database)
        self._known: tuple[int, _T] | None = None

    def get(self) -> _T:
        """Raises DatabaseError: it cannot be read, and what it holds may be something else than before."""
        before = self._commits.count()
        try:
            with self._database.read_at_once() as connection:
                found = self._read(connection)
        except DatabaseError:
            known, now = self._known, self._commits.count()
            if known is not None and now is not None and known[0] == now:
                return known[1]
            with self._database.read() as connection:  # it waits
                return self._read(connection)
        if before is not None and before == self._commits.count():
            self._known = (before, found)
        return found


class _Commits:
    """The file is opened once and stays open: closing it would drop the locks that SQLite holds in this process."""

    def __init__(self, database: Database) -> None:
        self._path = database.engine.url.database if database.engine.dialect.name == "sqlite" else None
        self._file: int | None = None
        self._of: tuple[int, int] | None = None
        self._opening = threading.Lock()

    def count(self) -> int | None:
        """None where it cannot be told: the database is no file, or was replaced."""
        if not self._path:
            return None
        try:
            there = Path(self._path).stat()
            if self._file is None:
                with self._opening:
                    if self._file is None:
                        self._of = (there.st_dev, there.st_ino)
                        self._file = os.open(self._path, os.O_RDONLY)
                        weakref.finalize(self, os.close, self._file)
            if self._of != (there.st_dev, there.st_ino):
                return None
            return int.from_bytes(os.pread(self._file, _COUNT_BYTES, _COUNT_AT), "big")
        except OSError:
            return None
