"""`aion release`: what was released, what differs between two releases, and going back."""

from collections.abc import Iterator
from getpass import getuser
from typing import Annotated, Any

import typer

from aion_assets.commands.output import AsJson, print_json, print_table, short_id

app = typer.Typer(no_args_is_help=True, help="List, show, compare and roll back releases.")
Id = Annotated[str, typer.Argument(help="Id as 'aion release list' shows it, or how it begins.", show_default=False)]


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most releases listed.")] = 20, json: AsJson = False
) -> None:
    """The newest first: which serves, and which can serve again."""
    from aion_assets.core.language.times import iso_time, shown_time
    from aion_assets.core.release.releases import current_release_id, list_releases

    home = _home()
    current = current_release_id(home.database, home.tenant_id)
    zone = home.settings.zone
    found = [
        {
            "release_id": row.release_id,
            "model_release_id": row.model_release_id,
            "created_at": iso_time(row.created_at, zone),
            "index_table": row.index_table,
            "aion_version": row.aion_version,
            "current": row.release_id == current,
            "can_serve": home.lake.has_tag(row.index_table, row.tag),
            "shown": shown_time(row.created_at, zone),
        }
        for row in list_releases(home.database, home.tenant_id, limit)
    ]
    if json:
        print_json({"releases": [{name: item[name] for name in item if name != "shown"} for item in found]})
        return
    rows = [
        (
            short_id(item["release_id"]),
            item["shown"],
            short_id(item["model_release_id"]),
            item["index_table"].partition("-")[2],
            "serves" if item["current"] else "can serve" if item["can_serve"] else "index given up",
        )
        for item in found
    ]
    columns = ("id", "released", "models", "embedder", "state")
    empty = "Nothing has been released yet. Add a source and run 'aion run'."
    print_table("Releases", columns, rows, empty, whole=("id", "released", "models"))


@app.command()
def show(release: Id, json: AsJson = False) -> None:
    """Everything an answer of this release depends on."""
    found = _facts(release)
    if json:
        print_json(found)
        return
    print_table(f"Release {short_id(found['release_id'])}", ("what", "value"), list(_flat(found)), "")


@app.command()
def diff(first: Id, second: Id, json: AsJson = False) -> None:
    """What differs between two releases."""
    before, after = dict(_flat(_facts(first))), dict(_flat(_facts(second)))
    changed = {
        name: (before.get(name, ""), after.get(name, ""))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }
    if json:
        print_json({"changed": {name: {"before": pair[0], "after": pair[1]} for name, pair in changed.items()}})
        return
    rows = [(name, *pair) for name, pair in changed.items()]
    print_table("What differs", ("what", short_id(first), short_id(second)), rows, "They are the same.")


@app.command()
def rollback(
    release: Annotated[str, typer.Argument(help="Release to go back to; the one before when empty.")] = "",
    models: Annotated[
        bool, typer.Option("--models", help="Only the models go back; what the base knows today stays.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Let a release of before serve again; a running server takes it up within seconds."""
    from aion_assets.core.release.releases import full_release_id, read_release
    from aion_assets.core.release.rollback import models_before, release_before, roll_back, roll_back_models

    home, by = _home(), f"cli:{getuser()}"
    release_id = full_release_id(home.database, home.tenant_id, release) if release else ""
    if models:
        wanted = read_release(home.database, release_id).model_release_id if release_id else models_before(home)
        now = roll_back_models(home, wanted, by)
    else:
        now = roll_back(home, release_id or release_before(home), by)
    if json:
        print_json({"release_id": now.release_id, "model_release_id": now.model_release_id})
        return
    typer.echo(
        f"Release {short_id(now.release_id)} serves: {now.index['rows']} passages with models "
        f"{short_id(now.model_release_id)}."
    )
    if not models:
        typer.echo("The next run releases what the base knows by then.")


def _home() -> Any:
    from aion_assets.core.home import Home
    from aion_assets.core.settings import load_settings

    return Home(load_settings())


def _facts(given: str) -> dict[str, Any]:
    from dataclasses import asdict

    from aion_assets.core.language.times import iso_time
    from aion_assets.core.release.releases import current_release_id, full_release_id, read_release

    home = _home()
    release = read_release(home.database, full_release_id(home.database, home.tenant_id, given))
    return {
        "release_id": release.release_id,
        "current": release.release_id == current_release_id(home.database, home.tenant_id),
        "created_at": iso_time(release.created_at, home.settings.zone),
        "run_id": release.run_id,
        "tag": release.tag,
        **asdict(release.content),
        "models": asdict(release.models),
    }


def _flat(facts: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(name, value) of every leaf, its name below those of what it is in."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}/")
        else:
            yield f"{above}{name}", str(value)
