"""Keeps the logs of long-running processes from filling the disk."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 10_000_000


def shorten(log: Path, most_bytes: int = MOST_BYTES) -> None:
    """Move what a longer log holds to `<log>.1`, in place of what that held; the process writes on into the same file.

    The process must append. A line that it writes in the very moment may be lost.
    """
    with suppress(FileNotFoundError):
        if log.stat().st_size > most_bytes:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)
