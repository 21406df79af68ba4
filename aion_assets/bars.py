"""Progress in the terminal: a bar for each step, with its rate of the past as the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

# Name of the step, done, total (0 while unknown), what is being done.
Draw = Callable[[str, int, int, str], None]


def no_bars(_name: str, _done: int, _total: int, _what: str) -> None:
    """For callers that show no progress."""


@contextmanager
def progress_bars(console: Console) -> Iterator[Draw]:
    columns = (
        TextColumn("  {task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(), TextColumn("[dim]{task.fields[what]}"),
    )  # fmt: skip
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=console.quiet, transient=True) as progress:

        def draw(name: str, done: int, total: int, what: str) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, what="")
            progress.update(tasks[name], completed=done, total=total or None, what=what[-60:])

        yield draw
