"""Ends what `aion up` started when `aion up` is gone, in whatever way it went: also by kill -9, on Linux and macOS.

A process of its own. Its input is a pipe that only `aion up` holds, so the end of the input is the end of `aion up`.
Each line is "+" or "-" and the id of a process group to end then, or no longer.
"""

import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

STOP_TIMEOUT_S = 15.0
LOCK = ".watchdog.lock"


def main() -> None:
    """Arguments: the home, whose lock says as long as this process lives that its ports may still be in use; and a
    folder that is removed at the end.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    with (Path(sys.argv[1]) / LOCK).open("a") as lock:
        with suppress(OSError):  # a file system that knows no locks
            fcntl.flock(lock, fcntl.LOCK_EX)  # as filelock does, which this small process need not load
        for line in sys.stdin:
            change = groups.add if line[0] == "+" else groups.discard
            change(int(line[1:]))
        end_groups(groups)
        import shutil  # only now, as this process waits for days

        shutil.rmtree(sys.argv[2], ignore_errors=True)


def end_groups(groups: set[int]) -> None:
    """Politely first; what is left after 15 seconds is killed."""
    signal_groups(groups, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while signal_groups(groups, 0) and time.monotonic() < deadline:
        time.sleep(0.2)
    signal_groups(groups, signal.SIGKILL)


def signal_groups(groups: set[int], number: int) -> set[int]:
    """Those that still have a process."""
    alive = set()
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            alive.add(group)
    return alive


if __name__ == "__main__":
    main()
