"""Counts of what the server recorded, without a word of a question or answer."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from aion_assets.core.answer.extractive import ABSTENTION
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.record.answers import State


@dataclass(frozen=True, slots=True)
class Interactions:
    """`answers` by engine, `decisions` by state. The latest of each is None before the first."""

    answers: dict[str, int]
    decisions: dict[str, int]
    latest_answer_at: datetime | None
    latest_decision_at: datetime | None
    latest_release_id: str

    @property
    def total(self) -> int:
        return sum(self.answers.values())


def count_interactions(database: Database, tenant_id: str) -> Interactions:
    """`latest_release_id` is that of the latest answer, "" before the first."""
    answers, curation = tables.answers, tables.curation
    mine, theirs = answers.c.tenant_id == tenant_id, curation.c.tenant_id == tenant_id
    with database.read() as connection:
        by_engine = connection.execute(
            select(answers.c.state, answers.c.engine, func.count())
            .where(mine, answers.c.state.in_((State.COMPLETE, State.ABSTAINED)))
            .group_by(answers.c.state, answers.c.engine)
        ).all()
        by_state = connection.execute(
            select(curation.c.state, func.count()).where(theirs).group_by(curation.c.state)
        ).all()
        latest = connection.execute(
            select(answers.c.created_at, answers.c.release_id)
            .where(mine)
            .order_by(answers.c.created_at.desc())
            .limit(1)
        ).first()
        decided_at = connection.execute(select(func.max(curation.c.decided_at)).where(theirs)).scalar()
    counted: Counter[str] = Counter()
    for row in by_engine:
        counted[ABSTENTION if row.state == State.ABSTAINED else row.engine] += row[2]
    return Interactions(
        answers=dict(counted),
        decisions={row[0]: row[1] for row in by_state},
        latest_answer_at=latest.created_at if latest else None,
        latest_decision_at=decided_at,
        latest_release_id=latest.release_id if latest else "",
    )
