"""The options of a source after it was added."""

from typing import Any

from sqlalchemy import update

from aion_assets.core import schema, sources
from aion_assets.core.collect.urls import Scope
from aion_assets.core.database import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings

# A change of these may bring in pages, or drop some: the source is collected again.
REACH = frozenset({"max_depth", "max_pages", "allow_domains"})


def change_options(
    database: Database, settings: Settings, source_name: str, /, **wanted: Any
) -> dict[str, tuple[Any, Any]]:
    """Set the options that are not None; returns what changed, as option → (before, after).

    `allow_domains` replaces them all; an empty one stands for none. Raises SourceError: no such source, no option
    given, a domain that is none, or a name that another source has.
    """
    source = sources.get_source(database, settings, source_name).source
    wanted = {option: value for option, value in wanted.items() if value is not None}
    if not wanted:
        raise SourceError(f"Nothing was given to set on {source.source_id}.", "See 'aion source set --help'.")
    if "allow_domains" in wanted:
        wanted["allow_domains"] = [domain for domain in wanted["allow_domains"] if domain.strip()]
        if source.kind == "web":
            Scope(source.address, wanted["allow_domains"])
    if "name" in wanted:
        _refuse_taken_name(database, settings, source.source_id, wanted["name"])
    before = {option: getattr(source, option) for option in wanted}
    changed = {
        option: (before[option], value)
        for option, value in wanted.items()
        if (tuple(value) if option == "allow_domains" else value) != before[option]
    }
    if changed:
        values = {option: after for option, (_, after) in changed.items()}
        if REACH & changed.keys():
            # A collection under way refuses what the old options refuse: it is given up, and another one due.
            values |= {"collection_id": "", "collected_at": None}
        with database.write() as connection:
            this = schema.sources.c.source_id == source.source_id
            connection.execute(update(schema.sources).where(this).values(**values))
    return changed


def _refuse_taken_name(database: Database, settings: Settings, source_id: str, name: str) -> None:
    if not name.strip():
        raise SourceError(f"A source cannot have the name {name!r}.", "Give one that people know it by.")
    for state in sources.list_sources(database, settings):
        other = state.source
        if other.source_id != source_id and name in (other.source_id, other.name):
            raise SourceError(f"{name!r} is the id or name of source {other.source_id}.", "Give another name.")
