"""All rows of a table, some at a time, for steps that write them anew."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from aion_assets.core.database.columns import UtcDateTime

_ROWS = 500
_JSON_COLUMNS = ("citations", "passages", "manifest", "body", "tags")


def read_rows(
    connection: sa.Connection, table: str, key: str, columns: Sequence[str]
) -> Iterator[list[dict[str, Any]]]:
    """By rising `key`. Rows may be written while the last ones are being read."""
    types = {"created_at": UtcDateTime(), **dict.fromkeys(_JSON_COLUMNS, sa.JSON())}
    names = sorted({key, *columns})
    read = sa.table(table, *(sa.column(name, types.get(name)) for name in names))
    last: Any = None
    while True:
        asked = sa.select(*(read.c[name] for name in names)).order_by(read.c[key]).limit(_ROWS)
        if last is not None:
            asked = asked.where(read.c[key] > last)
        rows = [dict(row) for row in connection.execute(asked).mappings()]
        if not rows:
            return
        yield rows
        last = rows[-1][key]
