"""What does AION weigh at rest? Starts `aion up` in an empty home and looks at its memory a minute after it is ready.

    python -m bench.weight [--rest-s 60]

Prints one JSON object: the proportional set size (PSS) of each process in MB, and of all of them. PSS counts a page
that several processes share in equal parts, so that the total is what the machine would win. `files_mb` is the part of
the total that the kernel can drop, as it is in a file: of the large libraries more or less is there, by tens of MB from
one start to the next. Linux only.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import typer

_READY = "AION is ready"
# The first start indexes the manual.
_READY_TIMEOUT_S = 300.0
_STOP_TIMEOUT_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rest-s", type=float, default=60.0, help="seconds from ready to the look")
    arguments = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        parser.error("the kernel tells no PSS here; run it on Linux")
    with tempfile.TemporaryDirectory(prefix="aion-weight-") as folder, running(Path(folder)) as supervisor:
        time.sleep(arguments.rest_s)
        by_name, files = weigh(supervisor), weigh(supervisor, "Pss_File")
    total, files_mb = (round(sum(weights.values()), 1) for weights in (by_name, files))
    typer.echo(json.dumps({"rest_s": arguments.rest_s, "pss_mb": by_name, "total_mb": total, "files_mb": files_mb}))


@contextmanager
def running(folder: Path) -> Iterator[psutil.Process]:
    """`aion up` in a home of its own and on free ports, from ready on."""
    environment = os.environ | {
        "AION_HOME": str(folder / "home"),
        "AION_DATABASE_URL": "",
        "AION_DAGSTER_DB": "",
        "AION_LAKE_URI": "",
        "AION_PORT": str(_free_port()),
        "AION_DAGSTER_PORT": str(_free_port()),
    }
    log = folder / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "aion_assets", "up"], env=environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while _READY not in log.read_text("utf-8"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"aion up did not get ready:\n{log.read_text('utf-8')}")
            time.sleep(0.5)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_STOP_TIMEOUT_S)


def weigh(supervisor: psutil.Process, kind: str = "Pss") -> dict[str, float]:
    """MB by name of process, the heaviest first; processes of one name are added up. `kind`: a line of smaps_rollup."""
    weights: dict[str, float] = {}
    for process in [supervisor, *supervisor.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):  # it ended between two looks
            name = name_of(process.cmdline())
            weights[name] = weights.get(name, 0.0) + _mapped_mb(process.pid, kind)
    return {name: round(weights[name], 1) for name in sorted(weights, key=weights.__getitem__, reverse=True)}


def name_of(command: list[str]) -> str:
    """The module that Python runs, with its verb."""
    if "-m" not in command:
        return " ".join(command[1:4])[:60]
    words = command[command.index("-m") + 1 :][:3]
    return " ".join(word for word in words if not word.startswith(("-", "/")))


def _mapped_mb(pid: int, kind: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) / 1000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
