"""Keeps the processes of one home together: started in order, watched, stopped as one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx
from filelock import FileLock, Timeout
from rich.console import Console

from aion_assets.core.errors import AionError
from aion_assets.core.settings import Settings, load_settings
from aion_assets.first_source import ensure_first_source
from aion_assets.foreground import dagster_home
from aion_assets.logs import shorten

_READY_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 15.0
_LOOPBACK = "127.0.0.1"
_MAKE_DATABASES = "from aion_assets.foreground import dagster_instance\nwith dagster_instance(): pass"


@dataclass(slots=True)
class _Child:
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    ready_url: str


def supervise(*, with_dagster: bool) -> int:
    """Returns the exit status: 0 after Ctrl-C, 1 when a process ended by itself.

    Raises AionError: another `aion up` runs in this home, or a port is taken.
    """
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.home / ".up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AionError(
            f"AION runs already in {settings.home}.",
            "Stop it with Ctrl-C where it was started, or set another AION_HOME.",
        ) from None
    console = Console(highlight=False)
    stop = _StopSignal()
    children: list[_Child] = []
    try:
        _refuse_taken_ports(settings, with_dagster)
        _first_run(console)
        if stop.received:
            return 0
        started = time.monotonic()
        children = _start(settings, with_dagster)
        if not _wait_until_ready(children, stop, console):
            return 0 if stop.received else 1
        _print_links(console, settings, with_dagster, time.monotonic() - started)
        while not stop.received:
            dead = next((child for child in children if child.process.poll() is not None), None)
            if dead is not None:
                _report_death(console, dead)
                return 1
            for child in children:
                shorten(child.log)
            time.sleep(0.5)
        console.print("Stopping …")
        return 0
    finally:
        _stop_all(children)
        lock.release()


class _StopSignal:
    def __init__(self) -> None:
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        # The first asks the loop to end, and ends a first run, which hears it, too; a second one ends all that waits.
        if self.received:
            raise KeyboardInterrupt
        self.received = True


def _first_run(console: Console) -> None:
    """Fill an empty home before anything serves it. Later, the sensors do what is due.

    In a process of its own: this one only watches the others, and keeps none of what the pipeline loads.
    """
    from aion_assets.core import releases
    from aion_assets.core.database import open_database

    settings = load_settings()
    ensure_first_source()
    if releases.current_release_id(open_database(settings), settings.tenant_id) is None:
        console.print("First start: bringing in AION's own manual.")
        command = [sys.executable, "-m", "aion_assets", "run"]
    else:  # one process makes Dagster's databases before several open them
        command = [sys.executable, "-c", _MAKE_DATABASES]
    subprocess.run(command, env=_environment(), check=False)


def _start(settings: Settings, with_dagster: bool) -> list[_Child]:
    python = [sys.executable, "-m"]
    workspace = str(dagster_home().parent / "workspace.yaml")
    at = f"http://{settings.host}:{settings.port}"
    children = [_spawn(settings, "aion", [*python, "aion_assets", "serve"], f"{at}/health")]
    if with_dagster:
        ui = f"http://{_LOOPBACK}:{settings.dagster_port}"
        port = str(settings.dagster_port)
        webserver = [*python, "dagster_webserver", "-w", workspace, "-h", _LOOPBACK, "-p", port]
        children.append(_spawn(settings, "dagster-webserver", webserver, f"{ui}/server_info"))
        children.append(
            _spawn(
                settings,
                "dagster-daemon",
                [*python, "dagster._daemon", "run", "-w", workspace, "--log-level", "warning"],
                "",
            )
        )
    return children


def _spawn(settings: Settings, name: str, command: list[str], ready_url: str) -> _Child:
    log = settings.home / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    shorten(log)
    with log.open("ab") as output:
        # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=_environment()
        )
    return _Child(name, process, log, ready_url)


def _environment() -> dict[str, str]:
    return os.environ | {
        "DAGSTER_HOME": str(dagster_home()),
        "PYTHONUNBUFFERED": "1",
    }


def _wait_until_ready(children: list[_Child], stop: _StopSignal, console: Console) -> bool:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    waiting = [child for child in children if child.ready_url]
    with console.status("Starting …"):
        while waiting and not stop.received and time.monotonic() < deadline:
            dead = next((child for child in children if child.process.poll() is not None), None)
            if dead is not None:
                _report_death(console, dead)
                return False
            waiting = [child for child in waiting if not _answers(child.ready_url)]
            time.sleep(0.2)
    for child in waiting:
        console.print(f"[bold red]error[/]  {child.name} did not answer in {_READY_TIMEOUT_S:.0f} s; see {child.log}.")
    return not waiting


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def _print_links(console: Console, settings: Settings, with_dagster: bool, seconds: float) -> None:
    console.print(f"AION is ready ({seconds:.0f} s). Ctrl-C stops everything.\n")
    console.print(f"  Chat     http://{settings.host}:{settings.port}/")
    console.print(f"  API      http://{settings.host}:{settings.port}/docs")
    if with_dagster:
        console.print(f"  Dagster  http://{_LOOPBACK}:{settings.dagster_port}/")
    console.print(f"\n  Everything AION writes is in {settings.home}", soft_wrap=True)


def _report_death(console: Console, child: _Child) -> None:
    tail = child.log.read_text("utf-8", "replace").splitlines()[-15:]
    console.print(f"[bold red]error[/]  {child.name} ended with status {child.process.returncode}. Its last words:")
    for line in tail:
        console.print(f"  {line}", markup=False)


def _refuse_taken_ports(settings: Settings, with_dagster: bool) -> None:
    wanted = {"AION_PORT": (settings.host, settings.port)}
    if with_dagster:
        wanted["AION_DAGSTER_PORT"] = (_LOOPBACK, settings.dagster_port)
    for variable, address in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError:
                raise AionError(
                    f"Port {address[1]} on {address[0]} is in use.",
                    f"Stop what uses it, or set {variable} to a free one.",
                ) from None


def _stop_all(children: list[_Child]) -> None:
    for child in children:
        _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.1, deadline - time.monotonic()))
        _signal_group(child, signal.SIGKILL)  # what the process itself had started
        child.process.wait()


def _signal_group(child: _Child, number: int) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return
