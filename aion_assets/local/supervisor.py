"""Keeps the processes of one home together: started in order, watched, stopped as one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import httpx
from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape

from aion_assets.core.errors import AionError
from aion_assets.core.settings import Settings, load_settings
from aion_assets.local.children import Child, Watchdog, stop_all
from aion_assets.local.first_source import ensure_first_source
from aion_assets.local.foreground import dagster_home
from aion_assets.local.logs import shorten
from aion_assets.local.watchdog import STOP_TIMEOUT_S

_READY_TIMEOUT_S = 120.0
_LOOPBACK = "127.0.0.1"
_MAKE_DATABASES = "from aion_assets.local.foreground import dagster_instance\nwith dagster_instance(): pass"


def supervise(*, with_dagster: bool) -> int:
    """Returns the exit status: 0 after Ctrl-C, 1 when a process did not start or the server died again and again.

    Raises AionError: another `aion up` runs in this home, or a port is taken or given twice.
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
    console = Console(highlight=False, emoji=False)
    stop = _StopSignal()
    watchdog: Watchdog | None = None
    children: list[Child] = []
    try:
        watchdog = Watchdog(settings.home)  # first, as the ports may be taken until what was left there is ended
        _refuse_taken_ports(settings, with_dagster)
        _first_run(console, watchdog, stop)
        if stop.received:
            return 0
        started = time.monotonic()
        for child in _children(settings, with_dagster):
            child.start(watchdog)
            children.append(child)
        if not _wait_until_ready(children, stop, console):
            return 0 if stop.received else 1
        _print_links(console, settings, with_dagster, time.monotonic() - started)
        while not stop.received:
            for child in children:
                _keep_alive(console, child, watchdog)
                shorten(child.log)
                if child.given_up and child.needed:
                    return 1
            time.sleep(0.5)
        console.print("Stopping …")
        return 0
    finally:
        stop_all(children)
        if watchdog is not None:
            watchdog.close()
        lock.release()


class _StopSignal:
    def __init__(self) -> None:
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._receive)

    def _receive(self, _number: int, _frame: FrameType | None) -> None:
        # The first asks the loop to end, or the first run; a second one ends all that waits.
        if self.received:
            raise KeyboardInterrupt
        self.received = True


def _first_run(console: Console, watchdog: Watchdog, stop: _StopSignal) -> None:
    """Fill an empty home before anything serves it. Later, the sensors do what is due.

    In a process of its own: this one only watches the others, and keeps none of what the pipeline loads.
    """
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.release import releases

    settings = load_settings()
    ensure_first_source()
    if releases.current_release_id(open_database(settings), settings.tenant_id) is None:
        console.print("First start: bringing in what the sources hold, and making a release of it.")
        command = [sys.executable, "-m", "aion_assets", "run"]
    else:  # one process makes Dagster's databases before several open them
        command = [sys.executable, "-c", _MAKE_DATABASES]
    # A group of its own, so that whichever signal comes is passed on once, and the watchdog can end it, too.
    process = subprocess.Popen(command, env=_environment(), process_group=0)
    watchdog.add(process.pid)
    while process.poll() is None and not stop.received:
        time.sleep(0.1)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # what it had started
    process.wait()
    watchdog.remove(process.pid)


def _children(settings: Settings, with_dagster: bool) -> list[Child]:
    python = [sys.executable, "-m"]
    workspace = str(dagster_home().parent / "workspace.yaml")
    at = f"http://{settings.host}:{settings.port}"
    ui = f"http://{_LOOPBACK}:{settings.dagster_port}"
    webserver = ["dagster_webserver", "-w", workspace, "-h", _LOOPBACK, "-p", str(settings.dagster_port)]

    def child(name: str, command: list[str], ready_url: str, *, needed: bool = False) -> Child:
        return Child(name, python + command, _environment(), settings.home / "logs" / f"{name}.log", ready_url, needed)

    children = [child("aion", ["aion_assets", "serve"], f"{at}/health", needed=True)]
    if with_dagster:
        children.append(child("dagster-webserver", webserver, f"{ui}/server_info"))
        daemon = ["dagster._daemon", "run", "-w", workspace, "--log-level", "warning"]
        children.append(child("dagster-daemon", daemon, ""))
    return children


def _environment() -> dict[str, str]:
    return os.environ | {
        "DAGSTER_HOME": str(dagster_home()),
        "PYTHONUNBUFFERED": "1",
    }


def _keep_alive(console: Console, child: Child, watchdog: Watchdog) -> None:
    """Start the process again, after a pause that grows, when it died; give it up when it dies at once every time."""
    if child.given_up:
        return
    if child.restart_at is not None:
        if time.monotonic() >= child.restart_at:
            child.start(watchdog)
            console.print(f"Started {child.name} again.")
        return
    if not child.is_dead:
        return
    _report_death(console, child)
    pause_s = child.bury(watchdog)
    if pause_s is not None:
        console.print(f"It is started again in {pause_s:.0f} s; the others go on.")
    elif child.needed:
        console.print(
            f"{child.name} does not stay alive: stopping everything. See {child.log}.", soft_wrap=True, markup=False
        )
    else:
        console.print(
            f"{child.name} does not stay alive and is left stopped; the chat goes on, and 'aion run' does what is due. "
            f"See {child.log}.",
            soft_wrap=True,
            markup=False,
        )


def _wait_until_ready(children: list[Child], stop: _StopSignal, console: Console) -> bool:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    waiting = [child for child in children if child.ready_url]
    with console.status("Starting …"):
        while waiting and not stop.received and time.monotonic() < deadline:
            dead = next((child for child in children if child.is_dead), None)
            if dead is not None:
                _report_death(console, dead)
                return False
            waiting = [child for child in waiting if not _answers(child.ready_url)]
            time.sleep(0.2)
    for child in waiting:
        what = f"{child.name} did not answer in {_READY_TIMEOUT_S:.0f} s; see {child.log}."
        console.print(f"[bold red]error[/]  {escape(what)}")
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
    console.print(f"\n  Everything AION writes is in {settings.home}", soft_wrap=True, markup=False)


def _report_death(console: Console, child: Child) -> None:
    console.print(f"[bold red]error[/]  {child.name} ended with status {child.process.returncode}. Its last words:")
    for line in child.last_words():
        console.print(f"  {line}", markup=False)


def _refuse_taken_ports(settings: Settings, with_dagster: bool) -> None:
    wanted = {"AION_PORT": (settings.host, settings.port)}
    if with_dagster:
        if settings.port == settings.dagster_port:
            raise AionError(
                f"AION_PORT and AION_DAGSTER_PORT are both {settings.port}.", "Give each a port of its own."
            )
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
