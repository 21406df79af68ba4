"""`aion up`: Dagster and the AION server together, until Ctrl-C."""

from typing import Annotated

import typer


def up(
    dagster: Annotated[bool, typer.Option(help="Start the Dagster UI and daemon too.")] = True,
) -> None:
    """Start everything on this machine and print the links; Ctrl-C stops it all.

    The first start brings in AION's own manual, so that there is something to ask about at once.
    """
    from aion_assets.local.supervisor import supervise

    raise typer.Exit(supervise(with_dagster=dagster))
