"""The console command `aion`: one app whose verbs are registered by the packages that own them."""

import json
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aion_assets.core.errors import AionError

VERBS = "aion.verbs"
_AS_JSON = "--json"
_MISUSED = 2  # click's exit status for a command line that it cannot read


def build_app() -> typer.Typer:
    """Every entry point of the group is a function that adds its verbs to the app. It must be quick to import."""
    app = typer.Typer(
        name="aion",
        help="AION: an assistant over your organisation's own knowledge.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", help="Print AION's version.", is_eager=True, callback=_print_version)
        ] = False,
    ) -> None:
        pass

    for entry_point in sorted(entry_points(group=VERBS), key=lambda found: found.name):
        entry_point.load()(app)
    return app


def main() -> None:
    tell_errors(lambda: build_app()())


def tell_errors(work: Callable[[], object]) -> None:
    """Errors meant for a person are one sentence and the next step, and end with status 1. So is a full or read-only
    disk, whoever met it.

    With --json, standard output ends with the same as one object.
    """
    from aion_assets.core.errors import AionError, DatabaseError

    try:
        work()
    except SystemExit as end:
        if end.code == _MISUSED and _AS_JSON in sys.argv:
            _print_error("The command was not understood; standard error says why.", "See --help.")
        raise
    except Exception as raised:
        error = raised if isinstance(raised, AionError) else None
        if error is None or isinstance(error, DatabaseError):  # a database has other words for a read-only disk
            error = _trouble_behind(raised) or error
        if error is None:
            raise
        if _AS_JSON in sys.argv:
            _print_error(error.what, error.next_step)
        from rich.markup import escape

        from aion_assets.core.language.terminal import Terminal

        console = Terminal(stderr=True, highlight=False, emoji=False)
        console.print(f"[bold red]error[/]  {escape(error.what)}", soft_wrap=True)
        if error.next_step:
            console.print(f"       {escape(error.next_step)}", soft_wrap=True)
        sys.exit(1)


def _trouble_behind(raised: Exception) -> "AionError | None":
    """The full or read-only disk that other libraries met, each in its own words; None: something else happened."""
    from aion_assets.core.errors import AionError, disk_trouble
    from aion_assets.core.settings import load_settings
    from aion_assets.local.writable import require_writable

    try:
        require_writable(load_settings())
    except AionError as error:
        return error
    if isinstance(raised, OSError) and raised.filename:
        return disk_trouble(raised, f"'{raised.filename}' cannot be used")
    return None


def _print_error(error: str, next_step: str) -> None:
    from aion_assets.core.language.terminal import harmless

    typer.echo(harmless(json.dumps({"error": error, "next_step": next_step}, ensure_ascii=False)))


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version("aion"))
        raise typer.Exit
