"""Change the options of a source."""

import re
from typing import Any

from sqlalchemy import update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.fetch.urls import Scope
from aion_assets.core.settings import Settings
from aion_assets.core.sources.names import refuse_taken_name, refuse_unfit_name
from aion_assets.core.sources.state import DAY_S
from aion_assets.core.sources.store import get_source

# A change of these may add or drop pages, so the source is collected again.
REACH = frozenset({"max_depth", "max_pages", "allow_domains"})
_SCHEDULE = re.compile(r"(\d{1,9})\s*(m|h|d|w)")
_UNIT_S = {"m": 60, "h": 3600, "d": DAY_S, "w": 7 * DAY_S}
_MAX_SCHEDULE_S = 3_650 * DAY_S
_NAMED_SCHEDULE_S = {"never": 0, "hourly": 3600, "daily": DAY_S, "weekly": 7 * DAY_S}


def parse_schedule(text: str) -> int:
    """ "6h", "30m", "2d", "1w", "hourly", "daily", "weekly" or "never" → seconds; 0 is never."""
    lowered = text.strip().lower()
    if lowered in _NAMED_SCHEDULE_S:
        return _NAMED_SCHEDULE_S[lowered]
    match = _SCHEDULE.fullmatch(lowered)
    if match is None or int(match[1]) == 0:
        raise SourceError(f"--schedule has value {text!r}.", "Give 30m, 6h, 2d, 1w, hourly, daily, weekly or never.")
    seconds = int(match[1]) * _UNIT_S[match[2]]
    if seconds > _MAX_SCHEDULE_S:
        raise SourceError(f"--schedule has value {text!r}.", "Ten years are the most; 'never' is a schedule, too.")
    return seconds


def change_options(
    database: Database, settings: Settings, source_name: str, /, **wanted: Any
) -> dict[str, tuple[Any, Any]]:
    """Set the options that are not None. Returns what changed, as option → (before, after).

    `allow_domains` replaces all domains; an empty one means none. Raises SourceError: there is no such source, no
    option is given, a domain is not one, or another source has the name.
    """
    source = get_source(database, settings, source_name).source
    wanted = {option: value for option, value in wanted.items() if value is not None}
    if not wanted:
        raise SourceError(f"Nothing was given to set on {source.source_id}.", "See 'aion source set --help'.")
    if "allow_domains" in wanted:
        wanted["allow_domains"] = [domain for domain in wanted["allow_domains"] if domain.strip()]
        if source.kind == "web":
            Scope(source.address, wanted["allow_domains"])
    if "name" in wanted:
        refuse_unfit_name(wanted["name"])
        with database.read() as connection:
            refuse_taken_name(connection, settings.tenant_id, wanted["name"], source.source_id)
    before = {option: getattr(source, option) for option in wanted}
    changed = {
        option: (before[option], value)
        for option, value in wanted.items()
        if (tuple(value) if option == "allow_domains" else value) != before[option]
    }
    if changed:
        values = {option: after for option, (_, after) in changed.items()}
        if REACH & changed.keys():
            # A collection under way follows the old options: it is given up, and a new one is due.
            values |= {"collection_id": "", "collected_at": None}
        with database.write() as connection:
            this = tables.sources.c.source_id == source.source_id
            connection.execute(update(tables.sources).where(this).values(**values))
    return changed
