"""`aion export`: hand out what was recorded, one JSON object a line."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="Hand out events, or rows to train a generator on, as JSON lines.")
Target = Annotated[Path | None, typer.Option("--to", help="File to write; without it, standard output.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day, such as 2026-11-28.")]


@app.command()
def events(since: Day = None, until: Day = None, to: Target = None) -> None:
    """What happened: ids and figures, never a text. Both days are included."""
    from aion_assets.core.learn.export import event_lines

    _write(event_lines(_home(), since and since.date(), until and until.date()), to)


@app.command()
def sft(to: Target = None) -> None:
    """Prompts with their answers, in the form `messages`; without answers judged bad and without personal data."""
    from aion_assets.core.learn.export import sft_lines

    _write(sft_lines(_home()), to)


def _write(lines: Iterable[str], to: Path | None) -> None:
    if to is None:
        for line in lines:
            sys.stdout.write(line)
        return
    from aion_assets.core.lake.durable import write_lines_durably

    write_lines_durably(to, (line.encode() for line in lines))


def _home() -> Any:
    from aion_assets.core.home import Home
    from aion_assets.core.settings import load_settings

    return Home(load_settings())
