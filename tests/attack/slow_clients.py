"""A server of AION in a process of its own, and clients that keep it waiting."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

_READY_S = 120.0


class Served:
    def __init__(self, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.port = port
        self.log = log
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        with suppress(OSError):  # it was refused
            client.sendall(sent)
        return client

    def answers(self, within_s: float = 5.0) -> bool:
        """To somebody who comes now."""
        try:
            return httpx.get(f"{self.url}/health", timeout=within_s, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def megabytes(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    @property
    def open_connections(self) -> int:
        found = psutil.Process(self.process.pid).net_connections("tcp")
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == self.port for one in found)


@contextmanager
def served(folder: Path, wrapped_in: Sequence[str] = ()) -> Iterator[Served]:
    """`aion serve` in the home `folder/home`. `wrapped_in`: a command that becomes the one that follows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))  # for the clients, which are this process's
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"AION_HOME": str(folder / "home"), "AION_PORT": str(port), "AION_DATABASE_URL": ""}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*wrapped_in, sys.executable, "-m", "aion_assets", "serve"],
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard)),  # as most systems give
        )
    made = Served(port, process, folder / "log")
    try:
        deadline = time.monotonic() + _READY_S
        while not made.answers() and time.monotonic() < deadline:
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            time.sleep(0.2)
        yield made
    finally:
        process.terminate()
        process.wait(30)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_closed(client: socket.socket) -> bool:
    """Whether the server hung up, after whatever it said."""
    try:
        client.settimeout(0.05)
        while client.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    client.close()
    return True


def wait_until_closed(clients: list[socket.socket], within_s: float) -> int:
    """How many are still open then."""
    deadline = time.monotonic() + within_s
    left = clients
    while left and time.monotonic() < deadline:
        left = [client for client in left if not is_closed(client)]
        time.sleep(0.2)
    return len(left)
