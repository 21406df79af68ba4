"""`aion run`: do what is due now, in the foreground."""

from typing import Annotated

import typer

from aion_assets.commands.output import AsJson, print_json


def run(
    source: Annotated[str, typer.Option(help="Collect this source now, whatever its schedule.")] = "",
    json: AsJson = False,
) -> None:
    """Do what is due now, with progress: collect, parse, curate, embed, index, release.

    Exit status 0: all done, or nothing was due. 1: a run failed; what it had stored is kept, and the next run goes on.
    """
    from aion_assets.foreground import run_due

    summary = run_due(source, quiet=json)
    if json:
        print_json(summary.as_dict())
    raise typer.Exit(0 if summary.succeeded else 1)
