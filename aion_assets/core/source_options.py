"""The options of a source after it was added."""

from typing import Any

from sqlalchemy import update

from aion_assets.core import schema, sources
from aion_assets.core.collect.urls import Scope
from aion_assets.core.database import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings

# A change of these may bring in pages, or drop some: the source is collected again.
_REACH = frozenset({"max_depth", "max_pages", "allow_domains"})


def change_options(
    database: Database, settings: Settings, source_name: str, /, **wanted: Any
) -> dict[str, tuple[Any, Any]]:
    """Set the options that are not None; returns what changed, as option → (before, after).

    Raises SourceError: no such source, no option given, or a domain that is none.
    """
    source = sources.get_source(database, settings, source_name).source
    wanted = {option: value for option, value in wanted.items() if value is not None}
    if not wanted:
        raise SourceError(f"Nothing was given to set on {source.source_id}.", "See 'aion source set --help'.")
    if source.kind == "web" and "allow_domains" in wanted:
        Scope(source.address, tuple(wanted["allow_domains"]))
    before = {option: getattr(source, option) for option in wanted}
    changed = {
        option: (before[option], value)
        for option, value in wanted.items()
        if (tuple(value) if option == "allow_domains" else value) != before[option]
    }
    if changed:
        with database.write() as connection:
            this = schema.sources.c.source_id == source.source_id
            values = {option: after for option, (_, after) in changed.items()}
            connection.execute(update(schema.sources).where(this).values(**values))
    if _REACH & changed.keys():
        sources.request_collection(database, source.source_id)
    return changed
