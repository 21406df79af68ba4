"""What the verbs print: tables for people, one JSON object on the last line for scripts."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from aion_assets.core.language.terminal import Terminal, harmless

_SHORT_ID = 12
_NO_LIMIT = 100_000
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def print_json(value: Mapping[str, Any]) -> None:
    typer.echo(harmless(json.dumps(value, ensure_ascii=False, default=_plain)))


def short_id(id_: str) -> str:
    """The part of an id that a table shows. Every verb accepts it for the whole id."""
    return id_[:_SHORT_ID]


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    empty: str,
    *,
    whole: Collection[str] = (),
    cut: Collection[str] = (),
) -> None:
    """In a terminal, `whole` columns are never folded, and `cut` ones end in "…" where there is no room. In a pipe
    every row is one line of any length. Cells are literal, without markup; a `Text` may have a style.
    """
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="ellipsis" if column in cut else "fold", no_wrap=column in whole)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    console = Terminal(highlight=False)
    if not table.row_count:
        console.print(Text(empty))
        return
    console.print(Text(title, style="bold"), soft_wrap=True)
    if console.is_terminal:
        console.print(table)
        return
    console.width = max(1, Measurement.get(console, console.options.update(width=_NO_LIMIT), table).maximum)
    with console.capture() as printed:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def _plain(value: Any) -> str:
    if not isinstance(value, datetime):
        return str(value)
    from aion_assets.core.language.times import iso_time
    from aion_assets.core.settings import load_settings

    return iso_time(value, load_settings().zone) or ""
