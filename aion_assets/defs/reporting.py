"""Show a step's report and progress in Dagster: counts, drops and times, never a word of a document."""

import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import dagster as dg

from aion_assets.core.steps.report import ShowProgress, StepReport

# A run in the foreground sets it to draw a bar in the terminal: (asset, done, total, what).
terminal: ContextVar[Callable[[str, int, int, str], None] | None] = ContextVar("terminal", default=None)
_LOG_EVERY_S = 10.0
OWNERS = ["team:knowledge"]
Materialized = dg.MaterializeResult[None]


def progress_of(context: dg.AssetExecutionContext) -> ShowProgress:
    """Write progress to the run's log every ten seconds, with rate and time left, and draw it in a terminal."""
    name = context.asset_key.path[-1]
    draw = terminal.get()
    started = last = time.monotonic()

    def show(done: int, total: int, what: str) -> None:
        nonlocal last
        if draw is not None:
            draw(name, done, total, what)
        current = time.monotonic()
        if current - last >= _LOG_EVERY_S:
            last = current
            rate = done / (current - started)
            left = f", {timedelta(seconds=round((total - done) / rate))} left" if rate and total > done else ""
            # `what` may be an address, never a text.
            context.log.info(f"{name}: {done} of {total or 'unknown'}, {rate:.1f}/s{left}")

    return show


def materialize(report: StepReport, uri: str, **more: Any) -> Materialized:
    """Metadata of a finished step. Dagster plots its numbers over time. `uri` is the place of the table."""
    drops = "\n".join(f"| {name} | {count} |" for name, count in sorted(report.drops.items()) if count)
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows,
        "dagster/uri": uri,
        **dict(sorted(report.counts.items())),
        "dropped": sum(report.drops.values()),
        "drops": dg.MetadataValue.md(f"| reason | rows |\n|---|---|\n{drops}" if drops else "none"),
        "seconds": round(report.seconds, 3),
        "rows_per_second": round(report.rows / report.seconds, 1) if report.seconds else 0.0,
        **{f"note/{name}": value for name, value in report.notes.items()},
        **more,
    }
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(report.data_version or "empty"))
