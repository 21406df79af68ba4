"""Show the curator, before the decision, which documents have the same content as another one."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from aion_assets.core.curate.decisions import APPROVED, PENDING, REJECTED
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import DOCUMENTS
from aion_assets.core.sources.tombstones import is_there

# A decided document of the same content tells the curator more than a waiting one.
_TELLING = (APPROVED, REJECTED, PENDING)
_BATCH = 500


def add_repeats(lake: Lake, database: Database, rows: Sequence[dict[str, Any]]) -> None:
    """Fill `duplicate_of` of the rows that are not approved with a document of the same content, in whatever source: an
    approved one, or else a rejected one, or a waiting one that was seen earlier.

    An approved row keeps what its run noted. A row without an exact duplicate keeps its near duplicate.
    """
    undecided = [row for row in rows if row["state"] != APPROVED]
    hashes = _hashes(lake, [row["doc_id"] for row in undecided])
    groups: dict[str, list[tuple[Any, str]]] = defaultdict(list)
    columns = ["doc_id", "content_hash", "first_seen"]
    for found in lake.rows_by_key(DOCUMENTS.name, columns, {"content_hash": sorted(set(hashes.values()))}):
        groups[found["content_hash"]].append((found["first_seen"], found["doc_id"]))
    repeated = [members for members in groups.values() if len(members) > 1]
    states = _states(database, [key for members in repeated for _, key in members])
    first_of = {}
    for members in repeated:
        ranked = sorted((_TELLING.index(states[key]), seen, key) for seen, key in members if key in states)
        first_of.update({key: ranked[0][-1] for _, _, key in ranked})
    for row in undecided:
        first = first_of.get(row["doc_id"], row["doc_id"])
        if first != row["doc_id"]:
            row["duplicate_of"] = first


def _hashes(lake: Lake, keys: list[str]) -> dict[str, str]:
    found = lake.rows_by_key(DOCUMENTS.name, ["doc_id", "content_hash"], {"doc_id": keys})
    return {row["doc_id"]: row["content_hash"] for row in found if row["content_hash"]}


def _states(database: Database, keys: list[str]) -> dict[str, str]:
    """States of documents that are neither vanished nor of a removed source."""
    table = tables.curation
    states: dict[str, str] = {}
    with database.read() as connection:
        for begin in range(0, len(keys), _BATCH):
            some = table.c.doc_id.in_(keys[begin : begin + _BATCH])
            rows = connection.execute(select(table.c.doc_id, table.c.state).where(some, is_there()))
            states.update(rows.tuples().all())
    return states
