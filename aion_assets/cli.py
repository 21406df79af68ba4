"""The console command `aion`: one app whose verbs are registered by the packages that own them."""

import sys
from importlib.metadata import entry_points

import typer

VERBS = "aion.verbs"


def build_app() -> typer.Typer:
    """Every entry point of the group is a function that adds its verbs to the app; it must import lightly."""
    app = typer.Typer(
        name="aion",
        help="AION: an assistant over your organisation's own knowledge.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for entry_point in sorted(entry_points(group=VERBS), key=lambda found: found.name):
        entry_point.load()(app)
    return app


def main() -> None:
    """Errors meant for a person are one sentence and the next step, and end with status 1."""
    from aion_assets.core.errors import AionError

    try:
        build_app()()
    except AionError as error:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(f"[bold red]error[/]  {error.what}", soft_wrap=True)
        if error.next_step:
            Console(stderr=True, highlight=False).print(f"       {error.next_step}", soft_wrap=True)
        sys.exit(1)
