"""`python -m trainer PROGRAM REQUEST RESULT`: one training run, or its measurement, in a process of its own.

It reads the request, trains, and writes the result last and whole. It ends with its parent, and only one of a home runs
at a time. Under Dagster Pipes its progress reaches the run; without, it is printed.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout

from aion_assets.core.home import Home
from aion_assets.core.lake.durable import write_durably
from aion_assets.core.process.lifetime import die_with_parent
from aion_assets.core.settings import load_settings
from trainer.progress import Loss

# Exit statuses besides 0.
BUSY, INTERRUPTED = 3, 130
_REPORT_EVERY_S = 2.0
Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m trainer")
    options.add_argument("program", choices=sorted(PROGRAMS))
    options.add_argument("request", type=Path)
    options.add_argument("result", type=Path)
    options.add_argument("--parent", type=int, default=0, help="Process with which this one ends.")
    given = options.parse_args()
    if given.parent:
        die_with_parent(given.parent)
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _interrupted)
    home = Home(load_settings())
    folder = home.settings.home / "training"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".trainer.lock").acquire(timeout=0):
            request = json.loads(given.request.read_text("utf-8"))
            result = PROGRAMS[given.program](home, request, _teller())
            write_durably(given.result, json.dumps(result, ensure_ascii=False).encode())
    except Timeout:
        print("Another trainer works in this home.", file=sys.stderr)  # noqa: T201
        raise SystemExit(BUSY) from None


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(INTERRUPTED)


def _teller() -> Tell:
    if "DAGSTER_PIPES_CONTEXT" not in os.environ:
        return lambda message: print(json.dumps(message), flush=True)  # noqa: T201
    from dagster_pipes import open_dagster_pipes

    pipes = open_dagster_pipes()
    return pipes.report_custom_message


def _ranker(home: Home, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from trainer.ranker import train_ranker

    return train_ranker(home, request, _throttled(tell))


def _generator(home: Home, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from trainer.generator_training import train_generator

    return train_generator(home, request, _throttled(tell))


def _generator_report(home: Home, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from trainer.generator_report import measure_generator

    return measure_generator(home, request, _throttled(tell))


def _calibration(home: Home, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from trainer.calibration import train_calibration

    return train_calibration(home, request, _throttled(tell))


def _retriever_adapter(home: Home, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from trainer.retriever_adapter import train_retriever_adapter

    return train_retriever_adapter(home, request, _throttled(tell))


def _throttled(tell: Tell) -> Callable[[int, int, str], None]:
    last = 0.0

    def show(done: int, total: int, what: str) -> None:
        nonlocal last
        if done == total or time.monotonic() - last >= _REPORT_EVERY_S:
            last = time.monotonic()
            drawn = {"loss": what.value} if isinstance(what, Loss) else {}
            tell({"step": done, "steps": total, "what": what, **drawn})

    return show


PROGRAMS: dict[str, Callable[[Home, dict[str, Any], Tell], dict[str, Any]]] = {
    "calibration": _calibration,
    "ranker": _ranker,
    "generator": _generator,
    "generator_report": _generator_report,
    "retriever_adapter": _retriever_adapter,
}

if __name__ == "__main__":
    main()
