"""Model servers as processes, as a person starts them."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from aion_assets.core.settings import Settings

_READY_TIMEOUT_S = 240


@contextmanager
def model_server(model: Path, home: Path, **settings: str) -> Iterator[str]:
    """Address of a running 'aion model-server'."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"AION_HOME": str(home), "AION_BASE_MODEL": str(model), "AION_MODEL_PORT": str(port)}
    log = home.with_suffix(".log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "aion_assets", "model-server"],
            env=environment | settings,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_alive(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def model_server_here(model: Path, home: Path) -> Iterator[str]:
    """The same in a thread of this process: where it is not the process that matters, it starts in a second."""
    import uvicorn

    from aion_assets.core.door.server import bounded
    from aion_serving.model_server.app import create_model_app
    from aion_serving.model_server.served import load_served

    settings = Settings(home=home, database_url="", base_model=str(model))
    served = load_served(settings)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        bounded(create_model_app(settings, served), host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)
        served.generator.close()


def _wait_until_alive(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())
