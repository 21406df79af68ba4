"""Finding the rows of many keys at once.

Lance copies a condition for every file of a table, and a merge holds the keys of the whole table. Looking 2 000 keys up
in 240 000 rows of 120 files took 106 MB and 0.36 s as a list in a condition; reading the column past the keys, and then
the rows found, takes 12 MB and 0.13 s.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from lancedb.table import Table

_ROW_ID = "_rowid"
# Keys are short, and comparing more of them at once costs less.
_READ_KEYS = 8_192
_IDS_PER_STATEMENT = 1_000


def row_ids(table: "Table", key: str, keys: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Of the rows with one of these keys, with theirs, in the order of the table, in the version that it has open."""
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
