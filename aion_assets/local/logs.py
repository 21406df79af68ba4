"""Keep the logs of long-running processes from filling the disk."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 10_000_000


def shorten(log: Path, most_bytes: int = MOST_BYTES) -> None:
    """Move the content of a log that is too long to `<log>.1`, replacing it. The process writes on into the same file.

    The process must open the log for appending. A line that it writes at that moment may be lost.
    """
    with suppress(OSError):  # there is none, or a full disk: it is shortened later
        if log.stat().st_size > most_bytes:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)
