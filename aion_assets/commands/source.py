"""`aion source`: add, list, show, set, pause and remove the sources of knowledge."""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer

from aion_assets.commands.output import AsJson, print_json, print_table
from aion_assets.core.language.terminal import harmless

app = typer.Typer(no_args_is_help=True, help="Add, list, show, change, pause and remove sources of knowledge.")
Name = Annotated[str, typer.Argument(help="Id or name of the source, as 'aion source list' shows it.")]

_DEPTH_HELP, _PAGES_HELP = "Links followed from the start page.", "Most pages taken from the source."
_MOST_DEPTH, _MOST_PAGES = 1_000, 100_000_000
_DOMAIN_HELP = "Further domain to follow; of a dump, a site whose address its lines may claim (* for any); repeatable."
_SCHEDULE_HELP = "How often to look again: 30m, 6h, 2d, 1w, hourly, daily, weekly or never."


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="Web address, folder, or .jsonl file.")],
    name: Annotated[str, typer.Option(help="Readable name; made from the address when empty.")] = "",
    schedule: Annotated[str, typer.Option(help=_SCHEDULE_HELP)] = "daily",
    depth: Annotated[int, typer.Option(min=0, max=_MOST_DEPTH, help=_DEPTH_HELP)] = 20,
    max_pages: Annotated[int, typer.Option(min=1, max=_MOST_PAGES, help=_PAGES_HELP)] = 10_000,
    allow_domain: Annotated[list[str] | None, typer.Option(help=_DOMAIN_HELP)] = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Index without a curator's decision.")] = False,
    kind: Annotated[str, typer.Option(help="Kind of source; found out from the address when empty.")] = "",
    json: AsJson = False,
) -> None:
    """Add a web site, a folder or a .jsonl dump."""
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.fetch.named_hosts import refusal_of
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.options import parse_schedule
    from aion_assets.core.sources.store import add_source

    settings = load_settings()
    source = add_source(
        open_database(settings),
        settings,
        address,
        kind=kind,
        name=name,
        schedule_s=parse_schedule(schedule),
        max_depth=depth,
        max_pages=max_pages,
        allow_domains=allow_domain or [],
        auto_approve=auto_approve,
    )
    refusal = refusal_of(source.address, settings) if source.kind == "web" else None
    if refusal is not None:
        typer.echo(harmless(f"warning  {refusal.what}\n         {refusal.next_step}"), err=True)
    if json:
        print_json(asdict(source))
        return
    typer.echo(f"Added {source.kind} source {source.source_id}. Collect it with 'aion run', or wait for the sensors.")
    if not auto_approve:
        typer.echo(
            "Its documents will wait for a decision: see them with 'aion curate list', "
            f"approve all with 'aion curate approve --source {source.source_id}'."
        )


@app.command("list")
def list_(json: AsJson = False) -> None:
    """All sources with their state."""
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.store import list_sources

    settings = load_settings()
    states = list_sources(open_database(settings), settings)
    if json:
        print_json({"sources": [_as_dict(state) for state in states]})
        return
    rows = [(s.source.source_id, s.source.kind, s.source.address, _when(s.collected_at), _state(s)) for s in states]
    empty = "No sources yet. Add one: aion source add https://example.org"
    columns = ("id", "kind", "address", "collected", "state")
    print_table("Sources", columns, rows, empty, whole=("id", "kind", "collected"), cut=("address",))


@app.command()
def show(
    name: Name,
    outcome: Annotated[str, typer.Option(help="List the locations of this outcome, with their reasons.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most locations listed.")] = 50,
    json: AsJson = False,
) -> None:
    """One source: settings, outcomes of its locations, documents by state, quarantined files."""
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.lake.store import Lake
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.overview import locations_of_outcome, source_overview
    from aion_assets.core.sources.store import get_source

    settings = load_settings()
    database, lake = open_database(settings), Lake(settings.lake_uri)
    state = get_source(database, settings, name)
    if outcome:
        total, locations = locations_of_outcome(lake, state.source.source_id, outcome, limit)
        if json:
            print_json({"source_id": state.source.source_id, "outcome": outcome, "total": total, "items": locations})
            return
        rows = [(item["address"], item["reason"]) for item in locations]
        print_table(f"{outcome}: {total}", ("address", "reason"), rows, f"No location has the outcome {outcome}.")
        if total > len(locations):
            typer.echo(f"{total - len(locations)} more: raise --limit to see them.")
        return
    overview = source_overview(lake, database, state.source.source_id)
    if json:
        print_json(_as_dict(state) | asdict(overview))
        return
    print_table(f"Source {state.source.source_id}", ("setting", "value"), _facts(state), "")
    print_table("\nLocations by outcome", ("outcome", "count"), overview.outcomes.items(), "\nNothing collected yet.")
    if overview.remark:
        typer.echo(harmless(f"\n{overview.remark[:1].upper()}{overview.remark[1:]}."))
    print_table("\nDocuments by decision", ("state", "count"), overview.decisions.items(), "\nNo documents yet.")
    troubles = [(item["address"], item["reason"], item["detail"]) for item in overview.troubles]
    if troubles:
        print_table("\nNot taken", ("address", "reason", "detail"), troubles, "", whole=("reason",))
    if overview.troubles_total > len(troubles):
        left = overview.troubles_total - len(troubles)
        typer.echo(f"{left} more are not shown; --outcome lists the addresses of one outcome, with --limit for more.")


@app.command("set")
def set_(
    name: Name,
    rename: Annotated[str | None, typer.Option("--name", help="Readable name; the id stays.")] = None,
    schedule: Annotated[str | None, typer.Option(help=_SCHEDULE_HELP)] = None,
    depth: Annotated[int | None, typer.Option(min=0, max=_MOST_DEPTH, help=_DEPTH_HELP)] = None,
    max_pages: Annotated[int | None, typer.Option(min=1, max=_MOST_PAGES, help=_PAGES_HELP)] = None,
    allow_domain: Annotated[
        list[str] | None, typer.Option(help='All further domains to follow; repeatable; "" for none.')
    ] = None,
    auto_approve: Annotated[
        bool | None,
        typer.Option("--auto-approve/--no-auto-approve", help="For documents that come or change from now on."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Change options of a source; another reach is collected by the next run."""
    from aion_assets.core.curate.decisions import PENDING
    from aion_assets.core.curate.queue import Page, read_queue
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.options import REACH, change_options, parse_schedule
    from aion_assets.core.sources.store import get_source

    settings = load_settings()
    database = open_database(settings)
    source = get_source(database, settings, name).source
    source_id = source.source_id
    changed = change_options(
        database,
        settings,
        source_id,
        name=rename,
        schedule_s=parse_schedule(schedule) if schedule is not None else None,
        max_depth=depth,
        max_pages=max_pages,
        allow_domains=allow_domain or None,  # typer gives an empty list for a missing option
        auto_approve=auto_approve,
    )
    if json:
        print_json({"source_id": source_id, "changed": {option: after for option, (_, after) in changed.items()}})
        return
    for option, (before, after) in changed.items():
        typer.echo(harmless(f"{option}: {_plain(before)} → {_plain(after)}"))
    if not changed:
        typer.echo("It was so already.")
    if REACH & changed.keys() and source.paused:
        typer.echo(f"It is paused: 'aion source pause {source_id} --resume' lets it be collected again.")
    elif REACH & changed.keys():
        typer.echo("Collect it again with 'aion run', or wait for the sensors.")
    if changed.get("auto_approve", (False, False))[1]:
        waiting, _ = read_queue(database, settings.tenant_id, PENDING, source_id, Page(limit=1))
        if waiting:
            typer.echo(f"{waiting} wait already: 'aion curate approve --source {source_id}' approves them.")


@app.command()
def pause(
    name: Name, resume: Annotated[bool, typer.Option("--resume", help="Go on again.")] = False, json: AsJson = False
) -> None:
    """Stop collecting a source; what it brought stays searchable, and decisions on it hold."""
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.store import get_source, pause_source

    settings = load_settings()
    database = open_database(settings)
    source_id = get_source(database, settings, name).source.source_id
    pause_source(database, source_id, paused=not resume)
    if json:
        print_json({"source_id": source_id, "paused": not resume})
        return
    typer.echo(f"{'Resumed' if resume else 'Paused'} {source_id}.")


@app.command()
def remove(
    name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, json: AsJson = False
) -> None:
    """Remove a source and everything it brought; it leaves search at once and the tables with the next run."""
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.store import get_source, remove_source

    settings = load_settings()
    database = open_database(settings)
    source_id = get_source(database, settings, name).source.source_id
    if not yes and typer.get_text_stream("stdin").isatty():  # scripts are not asked
        typer.confirm(f"Remove {source_id} and all its documents from search?", abort=True, err=True)
    remove_source(database, source_id)
    if json:
        print_json({"source_id": source_id, "removed": True})
        return
    typer.echo(f"Removed {source_id}: nothing of it is found any more. 'aion run' cleans the tables.")


def _plain(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, (list, tuple)) else str(value)


def _as_dict(state: Any) -> dict[str, Any]:
    facts: dict[str, Any] = asdict(state)
    return {**facts.pop("source"), **facts}


def _facts(state: Any) -> list[tuple[str, str]]:
    source = state.source
    every = timedelta(seconds=source.schedule_s)
    facts = [
        ("name", source.name),
        ("kind", source.kind),
        ("address", source.address),
        ("state", _state(state)),
        ("added", _when(state.created_at)),
        ("last collected", _when(state.collected_at)),
        ("looked at again", f"every {every}".removesuffix(", 0:00:00") if source.schedule_s else "never"),
        ("approval", "by rule" if source.auto_approve else "by a person"),
    ]
    if source.kind == "web":
        facts.append(("reach", f"{source.max_depth} links deep, {source.max_pages} pages at most"))
        facts.append(("further domains", _plain(source.allow_domains)))
    return facts


def _when(value: Any) -> str:
    from aion_assets.core.language.times import shown_time
    from aion_assets.core.settings import load_settings

    return shown_time(value, load_settings().zone)


def _state(state: Any) -> str:
    if state.source.paused:
        return "paused"
    due = f"due: {state.due}" if state.due else ""
    return "; ".join(part for part in (due, state.failure) if part) or "up to date"
