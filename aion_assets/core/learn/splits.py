"""Freeze the golden questions: each gets a split that it keeps, and no document stands in two splits.

Questions that share a document hang together. Whole groups go to a split by a hash of their first document, so that the
split does not depend on the order in which questions come.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.ids import digest
from aion_assets.core.learn.golden import APART, DEV, TEST, TRAIN, counted_by_split, golden_questions

# Most questions measure: a gate sees a gain of .01 only on hundreds of them.
SHARES = {TEST: 0.6, DEV: 0.15, TRAIN: 0.25}
_golden = tables.golden_queries


def freeze(home: Home, seed: str = "") -> Counter[str]:
    """Give a split to the questions that have none, and return how many went where.

    A new question on a frozen document joins its split. One whose documents are in several splits stands apart: it
    neither trains nor measures.
    """
    golden_questions(home)  # takes over the file
    here = (_golden.c.tenant_id == home.tenant_id, _golden.c.retired_at.is_(None))
    columns = (_golden.c.query_id, _golden.c.relevant, _golden.c.split)
    given: Counter[str] = Counter()
    with home.database.write() as connection:
        rows = connection.execute(select(*columns).where(*here).order_by(_golden.c.query_id)).all()
        for query, split in assigned([row._asdict() for row in rows], seed).items():
            connection.execute(update(_golden).where(_golden.c.query_id == query).values(split=split))
            given[split] += 1
    return given


def freeze_new(home: Home) -> Counter[str]:
    """Give new questions their split where others have one already. Before the first freeze nothing has."""
    return freeze(home) if set(counted_by_split(home)) - {""} else Counter()


def assigned(rows: Sequence[Mapping[str, Any]], seed: str) -> dict[str, str]:
    """Query id → split, for those without one. Rows are {query_id, relevant, split}."""
    frozen: dict[str, str] = {}
    for row in rows:
        if row["split"] not in ("", APART):
            frozen |= dict.fromkeys(row["relevant"], row["split"])
    fresh = [row for row in rows if not row["split"]]
    splits: dict[str, str] = {}
    for group in _groups(fresh):
        found = {frozen[address] for row in group for address in row["relevant"] if address in frozen}
        names = sorted(address for row in group for address in row["relevant"]) or [row["query_id"] for row in group]
        split = _by_hash(names[0], seed) if not found else found.pop() if len(found) == 1 else APART
        splits |= {row["query_id"]: split for row in group}
    return splits


def _by_hash(name: str, seed: str) -> str:
    place = int(digest("split", seed, name)[:8], 16) / 16**8
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    return TRAIN


def _groups(rows: Sequence[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """Questions that hang together by their documents; each without a document is alone."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = name = leader[leader[name]]
        return name

    for row in rows:
        for address in row["relevant"]:
            leader[find(address)] = find(f"question {row['query_id']}")
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[find(f"question {row['query_id']}")].append(row)
    return groups.values()
