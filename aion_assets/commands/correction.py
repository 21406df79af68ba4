"""`aion correction`: what people say an answer should have been, and whether it answers the next same question."""

from getpass import getuser
from typing import Annotated, Any

import typer

from aion_assets.commands.output import AsJson, print_json, print_table, short_id

app = typer.Typer(no_args_is_help=True, help="Decide on corrections of answers; an approved one answers at once.")
Id = Annotated[str, typer.Argument(help="As 'aion correction list' shows it, or how it begins.", show_default=False)]


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="pending, approved, rejected or expired.")] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most corrections listed.")] = 20,
    json: AsJson = False,
) -> None:
    """Corrections in a state; expired ones say why their text holds no more."""
    from aion_assets.core.record.corrections import list_corrections

    total, found = list_corrections(_home(), state, limit)
    if json:
        print_json({"total": total, "items": [_facts(item) for item in found]})
        return
    rows = [(short_id(item.correction_id), item.question, item.text, len(item.rests_on), item.reason) for item in found]
    columns = ("id", "question", "correction", "documents", "reason")
    print_table(f"{total} {state} corrections", columns, rows, f"No {state} corrections.", whole=("id",))


@app.command()
def approve(
    id_: Id,
    text: Annotated[str, typer.Option(help="The mended text; without it, what the person wrote.")] = "",
    source: Annotated[
        list[int] | None, typer.Option(help="Number of a source of the answer on which it rests; may be repeated.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Let it answer the next same question, until a document on which it rests changes or goes."""
    _decide(id_, "approved", text, source or None, "", json)


@app.command()
def reject(
    id_: Id, reason: Annotated[str, typer.Option(help="Why, for the record.")] = "", json: AsJson = False
) -> None:
    """Take it out of the queue, or back from use."""
    _decide(id_, "rejected", "", None, reason, json)


def _decide(id_: str, state: str, text: str, numbers: list[int] | None, reason: str, json: bool) -> None:
    from aion_assets.core.learn.curated import decide
    from aion_assets.core.record.corrections import Decision, full_correction_id

    home = _home()
    decision = Decision(state, f"cli:{getuser()}", text, numbers, reason)
    decided = decide(home, full_correction_id(home, id_), decision)
    if json:
        print_json(_facts(decided))
        return
    rests = f" It rests on {len(decided.rests_on)} documents." if decided.rests_on else ""
    typer.echo(f"Correction {short_id(decided.correction_id)} is {decided.state}.{rests}")


def _facts(item: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(item)


def _home() -> Any:
    from aion_assets.core.home import Home
    from aion_assets.core.settings import load_settings

    return Home(load_settings())
