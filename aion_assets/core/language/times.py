"""Times as a person reads them: where the organisation is, and with the name of that zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from aion_assets.core.language.identify import ENGLISH


def shown_time(moment: datetime | None, zone: ZoneInfo, never: str = "never") -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}" if moment else never


def iso_time(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """For programs and people alike: with the offset from UTC."""
    return moment.astimezone(zone).isoformat(timespec="seconds") if moment else None


def shown_day(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """In the order that the language is used to; the English one is ISO's, which nobody misreads."""
    return f"{moment.astimezone(zone):{'%Y-%m-%d' if language == ENGLISH else '%d/%m/%Y'}}"
