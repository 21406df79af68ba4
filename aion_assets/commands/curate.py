"""`aion curate`: see what waits for a decision, approve and reject it."""

from getpass import getuser
from typing import Annotated

import typer

from aion_assets.commands.output import AsJson, print_json, print_table, short_id

app = typer.Typer(no_args_is_help=True, help="Decide which documents become knowledge.")
Ids = Annotated[
    list[str] | None, typer.Argument(help="Document ids as 'aion curate list' shows them, or how they begin.")
]
OfSource = Annotated[str, typer.Option("--source", help="All waiting documents of this source.")]


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="pending, approved or rejected.")] = "pending",
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most documents listed.")] = 50,
    json: AsJson = False,
) -> None:
    """Documents in a state, those of low quality first."""
    from aion_assets.core.curate.queue import Page, add_remarks, read_queue
    from aion_assets.core.curate.repeats import add_repeats
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.lake.store import Lake
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.store import get_source

    settings = load_settings()
    database = open_database(settings)
    source_id = get_source(database, settings, source).source.source_id if source else ""
    total, rows = read_queue(database, settings.tenant_id, state, source_id, Page(limit))
    lake = Lake(settings.lake_uri)
    add_remarks(lake, rows)
    add_repeats(lake, database, rows)
    if json:
        print_json({"total": total, "items": rows})
        return
    columns = ["id", "quality", "title", "source", "repeats"]
    shown = [
        [
            short_id(row["doc_id"]),
            f"{row['quality']:.2f}",
            row["title"],
            row["source_id"],
            short_id(row["duplicate_of"]),
        ]
        for row in rows
    ]
    if any(row["remark"] for row in rows):  # few rows have one, and the column takes room
        columns.append("remark")
        shown = [[*cells, row["remark"]] for cells, row in zip(shown, rows, strict=True)]
    title = f"{total} {state} document{'s' if total != 1 else ''}"
    print_table(title, columns, shown, f"No {state} documents.", whole=("id", "quality", "repeats"))


@app.command()
def approve(
    ids: Ids = None, source: OfSource = "", all_: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Approve documents; they are indexed by the sensor, or by 'aion run'."""
    _decide("approved", ids or [], source, all_, "", json)


@app.command()
def reject(
    ids: Ids = None, source: OfSource = "", all_: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "", json: AsJson = False,
) -> None:  # fmt: skip
    """Reject documents; they leave every release at once."""
    _decide("rejected", ids or [], source, all_, reason, json)


def _decide(state: str, ids: list[str], source: str, everything: bool, reason: str, json: bool) -> None:
    from aion_assets.core.curate.decisions import PENDING, Verdict, decide, full_ids
    from aion_assets.core.curate.queue import Page, read_queue
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.errors import CurationError
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.store import get_source

    settings = load_settings()
    database = open_database(settings)
    if not ids and not source and not everything:
        raise CurationError("No document was named.", "Give ids, --source NAME, or --all.")
    if not ids:
        source_id = get_source(database, settings, source).source.source_id if source else ""
        _, rows = read_queue(database, settings.tenant_id, PENDING, source_id, Page(limit=1_000_000))
        ids = [row["doc_id"] for row in rows]
    else:
        ids = full_ids(database, settings.tenant_id, ids)
    changed = decide(database, settings.tenant_id, ids, Verdict(state, f"cli:{getuser()}", reason))
    if json:
        print_json({"state": state, "changed": changed})
    else:
        typer.echo(f"{changed} document{'s' if changed != 1 else ''} {state}.")
