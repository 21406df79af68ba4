"""A process to be killed: does what is due as 'aion run' does, without Dagster, and kills itself where it is told to.

    python driver.py '{"at": "module:name", "when": "after", "call": 2, "of": "chunks"}'

`of` counts only the calls that have an argument which starts so. Without a plan it runs to the end; a plan
{"only": "source"} does that for one source.
"""

import functools
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from workbench import CODE, Workbench

from aion_assets.core.settings import load_settings
from aion_assets.core.sources.due import INGEST, due_runs
from aion_assets.core.sources.store import get_source
from aion_assets.core.steps import documents, embeddings, pages

_MOST_ROUNDS = 5


def many_commits() -> None:
    """Small batches, so that a small corpus has many commits to be killed between."""
    pages._BATCH_PAGES = 8
    documents._BATCH_ROWS = 8
    embeddings._WINDOW = 16


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _name(argument: object) -> str:
    """Of a table, or a text as it is."""
    found = getattr(argument, "name", argument)
    return found if isinstance(found, str) else ""


def arm(plan: dict[str, Any]) -> None:
    module_name, _, path = plan["at"].partition(":")
    *holders, name = path.split(".")
    holder = functools.reduce(getattr, holders, importlib.import_module(module_name))
    real = getattr(holder, name)
    calls = 0

    @functools.wraps(real)
    def armed(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        of = plan.get("of", "")
        calls += not of or any(_name(item).startswith(of) for item in arguments)
        its_turn = calls == plan.get("call", 1)
        if its_turn and plan["when"] == "before":
            die()
        result = real(*arguments, **options)
        if its_turn:
            die()
        return result

    setattr(holder, name, armed)


def run_due(bench: Workbench, only: str) -> bool:
    """Whether everything settled."""
    for _ in range(_MOST_ROUNDS):
        due = [run for run in due_runs(bench.database, bench.settings, CODE) if only in ("", run.source_id)]
        if not due:
            return True
        for item in due:
            source = get_source(bench.database, bench.settings, item.source_id).source
            if item.job == INGEST:
                bench.collect(source)
            for step in (bench.parse, bench.curate, bench.chunk, bench.embed):
                step(source)
        bench.index()
        bench.release()
    return False


if __name__ == "__main__":
    many_commits()
    plan = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    if "at" in plan:
        arm(plan)
    sys.exit(0 if run_due(Workbench(load_settings()), plan.get("only", "")) else 1)
