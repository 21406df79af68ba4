"""`aion run`: do what is due now, in the foreground."""

from typing import Annotated

import typer

from aion_assets.commands.output import AsJson, print_json


def run(
    source: Annotated[str, typer.Option(help="Collect this source now, whatever its schedule.")] = "",
    json: AsJson = False,
) -> None:
    """Do what is due now, with progress: collect, parse, curate, embed, index, release.

    Exit status 0: all done, or nothing was due. 1: a run failed, or the start of a source could not be read; what was
    stored is kept, and the other sources are done all the same.
    """
    from aion_assets.local.foreground import run_due

    summary = run_due(source, quiet=json)
    if json:
        print_json(summary.as_dict())
    raise typer.Exit(0 if summary.succeeded else 1)
