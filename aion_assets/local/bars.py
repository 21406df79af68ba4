"""Progress in the terminal: a bar for each step, with the time left at its rate so far."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

_LINE_EVERY_S = 30.0
# Name of the step, done, total (0 while unknown), current item.
Draw = Callable[[str, int, int, str], None]


def no_bars(_name: str, _done: int, _total: int, _what: str) -> None:
    """For callers that show no progress."""


@contextmanager
def progress_bars(console: Console) -> Iterator[Draw]:
    """Bars in a terminal. Elsewhere a plain line now and then, so that a log shows the progress of a long run."""
    if not console.is_terminal or console.quiet:
        yield _plain_lines(console)
        return
    # All columns but the last take 56 of the 80 characters of a narrow terminal.
    what_is_done = TextColumn("{task.fields[what]}", "dim", markup=False, table_column=Column(no_wrap=True))
    columns = (
        TextColumn("  {task.description:<17}"), BarColumn(bar_width=12), MofNCompleteColumn(),
        TimeRemainingColumn(compact=True), what_is_done,
    )  # fmt: skip
    room = max(0, console.width - 58)
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True) as progress:

        def draw(name: str, done: int, total: int, what: str) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, what="")
            end = what if len(what) <= room else f"…{what[len(what) - room + 1 :]}"
            progress.update(tasks[name], completed=done, total=total or None, what=end)

        yield draw


def _plain_lines(console: Console) -> Draw:
    last = time.monotonic()

    def draw(name: str, done: int, total: int, _what: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _LINE_EVERY_S:
            last = time.monotonic()
            console.print(f"  {name}: {done} of {total or 'unknown'}")

    return draw
