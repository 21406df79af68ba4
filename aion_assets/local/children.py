"""The processes of one home: how each is started, started again when it dies, and stopped with the others."""

import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock, Timeout

from aion_assets.core.errors import AionError
from aion_assets.local.watchdog import LOCK, STOP_TIMEOUT_S, signal_groups

# A process that lived shorter than this died of something that the next one will meet, too.
_QUICK_S = 60.0
_MOST_QUICK_DEATHS = 5
_LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class Child:
    """`ready_at`: an http address, the path of a Unix socket, or "" where nothing is waited for.

    `needed`: without it there is no use in the others. `outlived`: what it had started does its work without it.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    ready_at: str = ""
    needed: bool = False
    outlived: bool = False
    process: "subprocess.Popen[bytes]" = field(init=False)
    restart_at: float | None = None
    given_up: bool = False
    _started: float = 0.0
    _quick_deaths: int = 0
    # Process groups of its former lives in which work may still go on.
    _left: set[int] = field(default_factory=set)

    def start(self, watchdog: "Watchdog") -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self.environment,
            )
        watchdog.add(self.process.pid)
        self._started, self.restart_at = time.monotonic(), None

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def bury(self, watchdog: "Watchdog") -> float | None:
        """Ends what the dead process had started, unless that outlives it. Gives the pause until its next start.

        None: it is given up.
        """
        if self.outlived:
            self._left.add(self.process.pid)
        else:
            self.signal(signal.SIGKILL)
            watchdog.remove(self.process.pid)
        lived_s = time.monotonic() - self._started
        self._quick_deaths = self._quick_deaths + 1 if lived_s < _QUICK_S else 0
        if self._quick_deaths >= _MOST_QUICK_DEATHS:
            self.given_up = True
            return None
        pause_s = min(_LONGEST_PAUSE_S, 2.0**self._quick_deaths)
        self.restart_at = time.monotonic() + pause_s
        return pause_s

    def last_words(self) -> list[str]:
        return self.log.read_text("utf-8", "replace").splitlines()[-15:]

    def forget_ended_work(self, watchdog: "Watchdog") -> None:
        """So that no signal goes to a group which got the number later."""
        for group in self._left - signal_groups(self._left, 0):
            self._left.discard(group)
            watchdog.remove(group)

    @property
    def is_running(self) -> bool:
        return not self.given_up and self.restart_at is None

    def signal(self, number: int) -> bool:
        """Whether anything of it still lives."""
        current = {self.process.pid} if self.is_running else set()
        return bool(signal_groups(current | self._left, number))


def stop_all(children: list[Child]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for child in children:
        if child.is_running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
        while child.outlived and child.signal(0) and time.monotonic() < deadline:
            time.sleep(0.1)
        child.signal(signal.SIGKILL)  # what the process itself had started
        if child.is_running:
            child.process.wait()


class Watchdog:
    """This process's side of `aion_assets.local.watchdog`.

    `folder`: for what lives as long as this process. Of a short path, as that of a socket must be, and closed to other
    people: who reaches the code server has it run code.
    """

    def __init__(self, home: Path) -> None:
        """Raises AionError: what an earlier `aion up` left there does not end."""
        lock = FileLock(home / LOCK)
        try:
            lock.acquire(timeout=2 * STOP_TIMEOUT_S)
        except Timeout:
            raise AionError(
                f"What an earlier 'aion up' left in {home} does not end.", "End its processes, or restart the machine."
            ) from None
        lock.release()
        self.folder = Path(mkdtemp(prefix="aion-"))
        command = [sys.executable, "-m", "aion_assets.local.watchdog", str(home), str(self.folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def add(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it was killed: the others still end with a proper stop
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
