"""Locks by name among the processes and threads of one machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.lake.errors import clear_errors

if TYPE_CHECKING:
    from filelock import BaseFileLock

# Held while an index is changed, checked against the chunks, or released.
INDEX_LOCK = "index"


class Locks:
    """Locks that end with their process at the latest. A thread may take a lock again that it holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, BaseFileLock] = {}

    @contextmanager
    def take(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold the lock of this name inside. False, without the lock, where `wait` is off and another holds it."""
        from filelock import FileLock, Timeout

        with clear_errors(name):
            self._folder.mkdir(parents=True, exist_ok=True)
            # One object for each name: it knows whether this thread holds the lock already.
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
