"""What a source holds, counted for a person."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from aion_assets.core.collect.scarcity import ReasonCount
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import DOCUMENTS, PAGES
from aion_assets.core.records import Outcome
from aion_assets.core.sources.tombstones import is_there

_MOST_TROUBLES = 200


@dataclass(slots=True)
class SourceOverview:
    """`troubles` are the locations and files that gave no document: {address, reason, detail}, at most 200 of the
    `troubles_total` that there are."""

    outcomes: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    troubles: list[dict[str, str]] = field(default_factory=list)
    troubles_total: int = 0
    remark: str = ""  # why a site gave hardly any page

    def add_trouble(self, address: str, reason: str, detail: str) -> None:
        self.troubles_total += 1
        if len(self.troubles) < _MOST_TROUBLES:
            self.troubles.append({"address": address, "reason": reason, "detail": detail})


def locations_of_outcome(lake: Lake, source_id: str, outcome: str, limit: int) -> tuple[int, list[dict[str, str]]]:
    """How many locations have this outcome, and the first of them by address: {address, reason}.

    Raises SourceError: there is no such outcome.
    """
    if outcome not in set(Outcome):
        raise SourceError(f"There is no outcome {outcome!r}.", f"Outcomes: {', '.join(Outcome)}.")
    where = f"source_id = {quoted(source_id)} AND outcome = {quoted(outcome)}"
    found = [
        {"address": _address(row), "reason": row["reason"] or ""}
        for row in lake.rows(PAGES.name, ["locator", "url", "reason"], where)
    ]
    found.sort(key=lambda item: item["address"])
    return len(found), found[:limit]


def source_overview(lake: Lake, database: Database, source_id: str) -> SourceOverview:
    of_source = f"source_id = {quoted(source_id)}"
    overview = SourceOverview()
    outcomes: Counter[str] = Counter()
    reasons = ReasonCount()
    for row in lake.rows(PAGES.name, ["locator", "url", "outcome", "reason", "status"], of_source):
        outcomes[row["outcome"]] += 1
        reasons.add(row["outcome"], row["reason"] or "")
        # A server reported these. What vanished from a folder or a site is no trouble.
        refused = row["outcome"] == Outcome.GONE and row["status"]
        if row["outcome"] in ("error", "too-big", "wrong-type") or refused:
            overview.add_trouble(_address(row), row["outcome"], row["reason"] or "")
    quarantined: Counter[str] = Counter()
    where = f"{of_source} AND state = 'quarantined'"
    for row in lake.rows(DOCUMENTS.name, ["url", "reason", "detail"], where):
        quarantined[row["reason"]] += 1
        overview.add_trouble(row["url"], row["reason"], row["detail"] or "")
    table = tables.curation
    with database.read() as connection:
        kind = connection.execute(select(tables.sources.c.kind).where(tables.sources.c.source_id == source_id)).scalar()
        rows = connection.execute(
            select(table.c.state, func.count())
            .where(table.c.source_id == source_id, is_there())
            .group_by(table.c.state)
        ).all()
    overview.outcomes, overview.quarantined = dict(outcomes.most_common()), dict(quarantined.most_common())
    overview.remark = reasons.remark() if kind == "web" and outcomes else ""
    overview.decisions = {row[0]: row[1] for row in rows}
    return overview


def _address(row: dict[str, Any]) -> str:
    """The address that a person knows: a link that was handed in lies in a file whose name nobody chose."""
    return str(row["url"] if row["url"].startswith("http") else row["locator"])
