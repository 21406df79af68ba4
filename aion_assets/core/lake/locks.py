"""Locks by name among the processes and threads of one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.lake.errors import clear_errors

if TYPE_CHECKING:
    from filelock import BaseFileLock

# Whoever changes an index, checks it against the chunks or releases it holds this lock.
INDEX_LOCK = "index"


class Locks:
    """A lock ends with its process at the latest; a thread may take one again that it has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, BaseFileLock] = {}

    @contextmanager
    def take(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Inside, no other has the lock of this name; False, and no lock, where `wait` is off and another has it."""
        from filelock import FileLock, Timeout

        with clear_errors(name):
            self._folder.mkdir(parents=True, exist_ok=True)
            # One object for each name, as it knows whether this thread holds the lock already.
            lock = self._locks.setdefault(name, FileLock(self._folder / f".{name}.lock"))
            taken = True
            try:
                lock.acquire(blocking=wait)
            except Timeout:
                taken = False
        try:
            yield taken
        finally:
            if taken:
                lock.release()
