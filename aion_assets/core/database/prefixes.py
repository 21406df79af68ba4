"""Ids that a person gives by their first characters."""

from sqlalchemy import ColumnElement, select

from aion_assets.core.database.engine import Database
from aion_assets.core.errors import PrefixError
from aion_assets.core.ids import ID_HEX_DIGITS

MIN_PREFIX = 6
_MOST_NAMED = 3


def full_id(database: Database, key: ColumnElement[str], given: str, *where: ColumnElement[bool]) -> str:
    """The one id of column `key` that begins with `given`; `given` itself where none does.

    Raises PrefixError: it is too short, or more than one id begins so.
    """
    if len(given) >= ID_HEX_DIGITS:
        return given
    begins_so = select(key).where(key.startswith(given, autoescape=True), *where).order_by(key)
    with database.read() as connection:
        found = [str(id_) for id_ in connection.execute(begins_so.limit(_MOST_NAMED + 1)).scalars()]
    if given in found or not found:
        return given
    if len(given) < MIN_PREFIX:
        raise PrefixError(
            f"{given!r} is too short for the beginning of an id.", f"Give its first {MIN_PREFIX} characters or more."
        )
    if len(found) > 1:
        more = " and more" if len(found) > _MOST_NAMED else ""
        raise PrefixError(
            f"More than one id begins with {given!r}: {', '.join(found[:_MOST_NAMED])}{more}.",
            "Give more of its characters.",
        )
    return found[0]
