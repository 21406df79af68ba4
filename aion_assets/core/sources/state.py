"""The state of a source: whether it is due, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from aion_assets.core.database.engine import now
from aion_assets.core.records import Source

# Why a source is due: its tables hold what no release holds yet, by a decision or a run that ended early.
CHANGES = "changes"
DAY_S = 86_400
# Clocks of machines that share a home may differ by so much.
_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(slots=True)
class SourceState:
    """A source with what happened to it. `due`: why it needs a run, "" when it does not. `failure`: why its newest
    collection is not complete. `asked`: number of collections and decisions so far.
    """

    source: Source
    created_at: datetime
    collection_started_at: datetime | None
    collection_requested_at: datetime | None
    collected_at: datetime | None
    collection_id: str
    failure: str
    due: str
    asked: int
    pipeline_version: str


def state_of(row: Row[Any]) -> SourceState:
    source = Source(
        source_id=row.source_id,
        tenant_id=row.tenant_id,
        kind=row.kind,
        address=row.address,
        name=row.name,
        schedule_s=row.schedule_s,
        max_depth=row.max_depth,
        max_pages=row.max_pages,
        allow_domains=tuple(row.allow_domains),
        auto_approve=row.auto_approve,
        paused=row.paused,
    )
    return SourceState(
        source=source,
        created_at=row.created_at,
        collection_started_at=row.collection_started_at,
        collection_requested_at=row.collection_requested_at,
        collected_at=row.collected_at,
        collection_id=row.collection_id,
        failure=row.failure,
        due=_due(row),
        asked=row.requested,
        pipeline_version=row.pipeline_version,
    )


def is_ahead(moment: datetime) -> bool:
    """Whether the clock was set back since: nothing can be told from this time."""
    return moment > now() + _CLOCKS_DIFFER


def _due(row: Row[Any]) -> str:
    changes = CHANGES if row.requested > row.handled else ""
    if row.paused:  # not collected any more, but decisions still take effect
        return changes
    if row.collection_id:
        return "unfinished"
    if row.collected_at is None:
        return "never collected" if row.collection_started_at is None else "requested"
    if row.schedule_s and (row.collected_at + timedelta(seconds=row.schedule_s) <= now() or is_ahead(row.collected_at)):
        return "scheduled"
    return changes
