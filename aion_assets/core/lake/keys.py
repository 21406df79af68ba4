"""Find the rows of many keys at once.

Lance copies a condition for every file of a table, and a merge holds the keys of the whole table. Scanning the key
column and then reading the rows found takes less memory and time than a long list in a condition.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from lancedb.table import Table

_ROW_ID = "_rowid"
# Keys are short. Comparing many at once is cheap.
_READ_KEYS = 8_192
_IDS_PER_STATEMENT = 1_000


def row_ids(table: "Table", key: str, keys: Sequence[str]) -> Iterator[tuple[int, str]]:
    """(row id, key) of the rows with one of these keys, in the order of the table, at the version it has open."""
    wanted = pa.array(keys, pa.string())
    for batch in table.search().select([key]).with_row_id(True).to_batches(_READ_KEYS):
        found = batch.filter(pc.is_in(batch.column(key), value_set=wanted))
        yield from zip(found.column(_ROW_ID).to_pylist(), found.column(key).to_pylist(), strict=True)


def take_rows(table: "Table", ids: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.take_row_ids(list(ids)).select(list(columns)).to_arrow().to_pylist()
    return rows


def delete_keys(table: "Table", key: str, keys: Sequence[str]) -> None:
    """The rows of one key go in one commit: a kill leaves all of them or none."""
    ids_of: dict[str, list[int]] = {}
    for number, found in row_ids(table, key, keys):
        ids_of.setdefault(found, []).append(number)
    ids: list[int] = []
    for some in ids_of.values():
        ids += some
        if len(ids) >= _IDS_PER_STATEMENT:
            _delete(table, ids)
            ids = []
    if ids:
        _delete(table, ids)


def _delete(table: "Table", ids: Sequence[int]) -> None:
    table.delete(f"{_ROW_ID} IN ({', '.join(map(str, ids))})")
