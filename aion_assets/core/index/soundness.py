"""Whether a table can be read to its end, and how an index that cannot is made anew.

What is damaged in a file shows only where it is read. An index is made of chunks and vectors, so it may be dropped; but
an older version of it that can be read is worth more, as releases of it may be serving.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aion_assets.core.errors import DiskFullError, LakeError
from aion_assets.core.lake.store import Lake

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import LanceTable

_LENGTH_TOLERANCE = 1e-3
_log = logging.getLogger(__name__)


def complaint_of(lake: Lake, table: str, tag: str = "") -> tuple[int, str]:
    """Rows of a table, and what is wrong with them, "" where nothing is. Reads every row and every search structure
    whole; a missing table is one of no rows.

    Raises LakeError: it cannot be read.
    """
    if not lake.exists(table):
        return 0, ""
    columns = (lake.table_at(table, tag) if tag else lake.table(table)).schema.names
    rows = odd = 0
    for batch in lake.read(table, columns, tag=tag):
        rows += batch.num_rows
        odd += _odd_vectors(batch) if "vector" in columns else 0
    _read_structures(lake, table, tag)
    return rows, f"In {table}, {odd} vectors are not of length 1." if odd else ""


def damage_of(lake: Lake, table: str, tag: str = "") -> str:
    """Why a table, or a version of it, cannot be used; "" where it can be read to its end, or is not there."""
    try:
        return complaint_of(lake, table, tag)[1]
    except DiskFullError:
        raise
    except LakeError as error:
        return error.what


def repair_index(lake: Lake, table: str, tags: Sequence[str]) -> str:
    """Put a damaged index back to the newest version among `tags` that can be read, or drop it where there is none.
    Says what was damaged, "" where nothing was. Whoever calls this then builds the index; nobody else may write to it.
    """
    damage = damage_of(lake, table)
    if not damage:
        return ""
    unusable = []
    for tag in (tag for tag in tags if lake.has_tag(table, tag)):
        if damage_of(lake, table, tag):
            unusable.append(tag)
            continue
        try:
            with lake.changing(table) as opened:
                for other in unusable:  # nothing can serve from them any more
                    opened.tags.delete(other)
                opened.checkout(tag)
                opened.restore()
        except LakeError as error:
            _log.warning("Index %s cannot be put back to %s: %s", table, tag, error)
            break
        _log.warning("Index %s was damaged; version %s of it is the base of a new one. %s", table, tag, damage)
        return damage
    lake.drop(table)
    _log.warning("Index %s was damaged and is made anew. %s", table, damage)
    return damage


def _read_structures(lake: Lake, table: str, tag: str) -> None:
    with lake.reading(table):
        opened = cast("LanceTable", lake.table_at(table, tag) if tag else lake.table(table))
        for index in opened.list_indices():
            opened.prewarm_index(index.name)


def _odd_vectors(batch: "pa.RecordBatch") -> int:
    import numpy as np

    vectors = batch["vector"].flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
    with np.errstate(all="ignore"):  # what is damaged may hold any number
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return int((~(np.abs(lengths - 1.0) < _LENGTH_TOLERANCE)).sum())
