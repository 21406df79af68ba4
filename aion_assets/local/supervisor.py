"""Keeps the processes of one home together: started in order, watched, stopped as one."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from rich.console import Console
from rich.markup import escape

from aion_assets.core.errors import AionError
from aion_assets.core.language.terminal import Terminal
from aion_assets.core.process.environment import (
    DAGSTER,
    DATABASE,
    HUB,
    LAKE,
    WORKER,
    WRITER,
    spared_environment,
)
from aion_assets.core.settings import Settings, load_settings
from aion_assets.local.children import Child, Watchdog, stop_all
from aion_assets.local.dagster_processes import (
    code_server_command,
    daemon_command,
    dagster_home,
    webserver_command,
    write_workspace,
)
from aion_assets.local.logs import shorten
from aion_assets.local.preparation import EMPTY
from aion_assets.local.watchdog import STOP_TIMEOUT_S
from aion_assets.local.writable import require_writable

_READY_TIMEOUT_S = 120.0
_DISK_PAUSE_S = 30.0
_LOOPBACK = "127.0.0.1"


def supervise(*, with_dagster: bool) -> int:
    """Returns the exit status: 0 after Ctrl-C, 1 when a process did not start or the server died again and again.

    Raises AionError: another `aion up` runs in this home, or a port is taken or given twice.
    """
    settings = load_settings()
    require_writable(settings)
    lock = FileLock(settings.home / ".up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AionError(
            f"AION runs already in {settings.home}.",
            "Stop it with Ctrl-C where it was started, or set another AION_HOME.",
        ) from None
    console = Terminal(highlight=False, emoji=False)
    stop = _StopSignal()
    watchdog: Watchdog | None = None
    children: list[Child] = []
    try:
        watchdog = Watchdog(settings.home)  # first, as the ports may be taken until what was left there is ended
        _refuse_taken_ports(settings, with_dagster)
        if not _prepare(console, watchdog, stop):
            return 1
        started = time.monotonic()
        for wave in _children(settings, with_dagster, watchdog.folder):
            if stop.received:
                return 0
            for child in wave:
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


def _prepare(console: Console, watchdog: Watchdog, stop: _StopSignal) -> bool:
    """Fill an empty home before anything serves it. Later, the sensors do what is due.

    False: there is nothing to serve from; why was printed.
    """
    status = _run([sys.executable, "-m", "aion_assets.local.preparation"], watchdog, stop)
    if status == EMPTY and not stop.received:
        console.print("First start: bringing in what the sources hold, and making a release of it.")
        _run([sys.executable, "-m", "aion_assets", "run"], watchdog, stop)
    return status in (0, EMPTY) or stop.received


def _run(command: list[str], watchdog: Watchdog, stop: _StopSignal) -> int:
    """Exit status, which says nothing where the command was stopped."""
    # A group of its own, so that whichever signal comes is passed on once, and the watchdog can end it, too.
    process = subprocess.Popen(command, env=_environment(*DATABASE, *LAKE, *DAGSTER), process_group=0)
    watchdog.add(process.pid)
    while process.poll() is None and not stop.received:
        time.sleep(0.1)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # what it had started
    watchdog.remove(process.pid)
    return process.wait()


def _children(settings: Settings, with_dagster: bool, folder: Path) -> list[list[Child]]:
    """In waves: each needs the one before. `folder` is for the socket of the code server."""
    at = f"http://{settings.host}:{settings.port}"
    ui = f"http://{_LOOPBACK}:{settings.dagster_port}"
    code_socket = folder / "code.sock"

    def child(name: str, command: list[str], secrets: tuple[str, ...], ready_at: str = "") -> Child:
        log = settings.home / "logs" / f"{name}.log"
        return Child(name, [sys.executable, *command], _environment(*secrets), log, ready_at)

    server = child("aion", ["-m", "aion_assets", "serve"], (*DATABASE, *LAKE, *WRITER, *HUB), f"{at}/health")
    server.needed = True
    first = [server]
    if _serves_model(settings):
        # Not waited for: until its model is loaded, AION answers in quotes.
        first.append(child("model-server", ["-m", "aion_assets", "model-server"], (*WORKER, *HUB)))
    if not with_dagster:
        return [first]
    secrets = (*DATABASE, *LAKE, *DAGSTER, *HUB)  # of the runs, which it starts
    code_server = child("dagster-code", code_server_command(code_socket), secrets, str(code_socket))
    code_server.outlived = True  # a run is a process of its own
    workspace = write_workspace(settings.home / "dagster" / "workspace.yaml", code_socket)
    webserver = webserver_command(workspace, _LOOPBACK, settings.dagster_port)
    return [
        [*first, code_server],
        [
            child("dagster-webserver", webserver, DAGSTER, f"{ui}/server_info"),
            child("dagster-daemon", daemon_command(workspace), DAGSTER),
        ],
    ]


def _serves_model(settings: Settings) -> bool:
    return bool(settings.base_model) and not settings.local_llm_url


def _environment(*needed: str) -> dict[str, str]:
    """With those secrets of this process's environment that are needed there, and no others."""
    return spared_environment(*needed, DAGSTER_HOME=str(dagster_home()), PYTHONUNBUFFERED="1")


def _keep_alive(console: Console, child: Child, watchdog: Watchdog) -> None:
    """Start the process again, after a pause that grows, when it died; give it up when it dies at once every time."""
    child.forget_ended_work(watchdog)
    if child.given_up:
        return
    if child.restart_at is not None:
        if time.monotonic() >= child.restart_at and _starts(child, watchdog, console):
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


def _starts(child: Child, watchdog: Watchdog, console: Console) -> bool:
    """False: its log cannot be opened, as where the disk is full. It is tried again later, and the others go on."""
    try:
        child.start(watchdog)
    except OSError as error:
        child.restart_at = time.monotonic() + _DISK_PAUSE_S
        said = f"{child.name} cannot be started: {error.strerror}. It is tried again in {_DISK_PAUSE_S:.0f} s."
        console.print(said, soft_wrap=True, markup=False)
        return False
    return True


def _wait_until_ready(children: list[Child], stop: _StopSignal, console: Console) -> bool:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    waiting = [child for child in children if child.ready_at]
    with console.status("Starting …"):
        while waiting and not stop.received and time.monotonic() < deadline:
            dead = next((child for child in children if child.is_dead), None)
            if dead is not None:
                _report_death(console, dead)
                return False
            waiting = [child for child in waiting if not _answers(child.ready_at)]
            time.sleep(0.2)
    for child in waiting:
        what = f"{child.name} did not answer in {_READY_TIMEOUT_S:.0f} s; see {child.log}."
        console.print(f"[bold red]error[/]  {escape(what)}")
    return not waiting


def _answers(address: str) -> bool:
    """`address`: of a page, or the path of a Unix socket. Neither needs a library, which this process would keep."""
    try:
        if address.startswith("/"):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2.0)
                probe.connect(address)
            return True
        where = urlsplit(address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=2.0)
        with contextlib.closing(connection):
            connection.request("GET", where.path)
            return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False


def _print_links(console: Console, settings: Settings, with_dagster: bool, seconds: float) -> None:
    console.print(f"AION is ready ({seconds:.0f} s). Ctrl-C stops everything.\n")
    console.print(f"  Chat     http://{settings.host}:{settings.port}/")
    console.print(f"  API      http://{settings.host}:{settings.port}/docs")
    if with_dagster:
        console.print(f"  Dagster  http://{_LOOPBACK}:{settings.dagster_port}/")
    if _serves_model(settings):
        console.print(f"  Model    http://{settings.model_host}:{settings.model_port}/health (it may load for minutes)")
    console.print(f"\n  Everything AION writes is in {settings.home}", soft_wrap=True, markup=False)


def _report_death(console: Console, child: Child) -> None:
    console.print(f"[bold red]error[/]  {child.name} ended with status {child.process.returncode}. The end of its log:")
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
    if _serves_model(settings):
        wanted["AION_MODEL_PORT"] = (settings.model_host, settings.model_port)
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
