"""Whether a table can be read to its end, and how an index that cannot is made anew.

What is damaged in a file shows only where it is read. So every version is read whole once; after that its files are
looked at from outside, until one of them was touched or could not be read. An index is made of chunks and vectors, so
it may be dropped; but an older version of it that can be read is worth more, as releases of it may be serving.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aion_assets.core.errors import DiskFullError, LakeError
from aion_assets.core.lake import files
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
    if odd:
        lake.proofs.forget(table)
    return rows, f"In {table}, {odd} vectors are not of length 1." if odd else ""


def damage_of(lake: Lake, table: str, tag: str = "", *, odd_counts: bool = True) -> str:
    """Why a table, or a version of it, cannot be used; "" where it can be read to its end, or is not there. Reads a
    version once, and again after its files were touched. Without `odd_counts` vectors may be of any length.
    """
    try:
        if not lake.exists(table):
            return ""
        version = int((lake.table_at(table, tag) if tag else lake.table(table)).version)
        stamp = _stamp(lake, table)  # from before it is read
        if lake.proofs.hold(table, version, stamp):
            return ""
        complaint = complaint_of(lake, table, tag)[1]
        if not complaint:
            lake.proofs.note(table, version, stamp)
        return complaint if odd_counts else ""
    except DiskFullError:
        raise
    except LakeError as error:
        return error.what


def written(lake: Lake, table: str) -> None:
    """Note that the newest version is whole: the caller found the one before so, and made the rest itself."""
    if lake.exists(table):
        lake.proofs.note(table, int(lake.table(table).version), _stamp(lake, table))


def _stamp(lake: Lake, table: str) -> str:
    if lake.folder is None:
        return files.stamp_of_versions(lake.table(table))
    return files.stamp(lake.folder / f"{table}.lance")


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
