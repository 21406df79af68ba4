"""Processes that die, and what their supervisor leaves when it is killed itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from aion_assets.local.children import Child, Watchdog, stop_all

# Starts a process of its own that does not care for SIGTERM, and says its id.
_STUBBORN = """
import subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
print(child.pid, flush=True)
time.sleep(600)
"""
# A supervisor that starts the above and waits to be killed.
_SUPERVISOR = f"""
import os, sys, time
from pathlib import Path
from aion_assets.local.children import Child, Watchdog
home = Path(sys.argv[1])
child = Child("one", [sys.executable, "-c", {_STUBBORN!r}], dict(os.environ), home / "one.log")
watchdog = Watchdog(home)
print(watchdog.folder, flush=True)
child.start(watchdog)
time.sleep(600)
"""


@pytest.fixture
def watchdog(tmp_path: Path) -> Iterator[Watchdog]:
    made = Watchdog(tmp_path)
    yield made
    made.close()


def _child(folder: Path, code: str, *, outlived: bool = False) -> Child:
    return Child("one", [sys.executable, "-c", code], dict(os.environ), folder / "one.log", outlived=outlived)


def _wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert what()


def _stubborn_pid(log: Path) -> int:
    _wait_for(lambda: log.is_file() and "up" in log.read_text())
    return next(int(line) for line in log.read_text().splitlines() if line.isdigit())


def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_dies_at_once_is_started_after_growing_pauses_and_then_given_up(
    tmp_path: Path, watchdog: Watchdog
) -> None:
    child = _child(tmp_path, "print('no such setting'); raise SystemExit(3)")
    pauses = []
    for _ in range(5):
        child.start(watchdog)
        child.process.wait()
        assert child.is_dead
        pauses.append(child.bury(watchdog))
    assert pauses == [2.0, 4.0, 8.0, 16.0, None]
    assert child.given_up and child.last_words() == ["no such setting"] * 5
    stop_all([child])


def test_what_a_dead_process_had_started_is_ended_before_the_next(tmp_path: Path, watchdog: Watchdog) -> None:
    child = _child(tmp_path, _STUBBORN)
    child.start(watchdog)
    left = _stubborn_pid(child.log)
    child.process.kill()
    child.process.wait()
    child.bury(watchdog)
    _wait_for(lambda: _is_gone(left))


@pytest.mark.timeout(120)
def test_work_that_outlives_its_process_goes_on_until_everything_is_stopped(tmp_path: Path, watchdog: Watchdog) -> None:
    child = _child(tmp_path, _STUBBORN, outlived=True)
    child.start(watchdog)
    left = _stubborn_pid(child.log)
    child.process.kill()
    child.process.wait()
    child.bury(watchdog)
    child.log.unlink()
    child.start(watchdog)
    second = _stubborn_pid(child.log)
    child.forget_ended_work(watchdog)
    assert not _is_gone(left) and not _is_gone(second)
    stop_all([child])
    _wait_for(lambda: _is_gone(left) and _is_gone(second))

    def is_forgotten() -> bool:
        child.forget_ended_work(watchdog)
        return not child.signal(0)

    _wait_for(is_forgotten)  # when whoever adopts orphans has buried them


@pytest.mark.timeout(120)
def test_after_kill_minus_9_everything_ends_and_the_next_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", _SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    with supervisor.stdout as told:
        folder = Path(told.readline().strip())
    left = _stubborn_pid(tmp_path / "one.log")
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    assert folder.is_dir()
    assert psutil.pid_exists(left), "it is given time to end"
    Watchdog(tmp_path).close()
    assert _is_gone(left)
    assert not folder.exists()
