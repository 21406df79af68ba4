"""Training runs: requested by a person or by the watch, one at a time, each with an outcome.

The server writes requests and cancellations, a sensor of the pipeline picks them up. Neither knows the other.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from aion_assets.core.database import learning_tables
from aion_assets.core.database.engine import now
from aion_assets.core.errors import DatabaseError, TrainingError, TrainingUnderWayError
from aion_assets.core.home import Home
from aion_assets.core.record.events import TrainingEvent, record_event

CALIBRATION, RANKER, GENERATOR = "calibration", "ranker", "generator"
RETRIEVER_ADAPTER = "retriever_adapter"
# The cheapest first.
LEARNERS = (CALIBRATION, RANKER, RETRIEVER_ADAPTER, GENERATOR)
# The generator by the name of its asset.
_ALSO_CALLED = {"generator_adapter": GENERATOR}
WATCH = "watch"  # who requests when quality drops
REQUESTED, QUEUED, RUNNING, COMPLETE, FAILED, CANCELLED = (
    "requested", "queued", "running", "complete", "failed", "cancelled",
)  # fmt: skip
RELEASED, BLOCKED, NO_GAIN = "released", "blocked", "no gain"
_runs = learning_tables.training_runs


@dataclass(frozen=True, slots=True)
class Training:
    """`outcome` is "" until it is decided. `says` tells of the outcome or the failure in a sentence."""

    training_id: str
    learner: str
    state: str
    requested_by: str
    why: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cancel_asked_at: datetime | None
    run_id: str
    incumbent: str
    candidate: str
    outcome: str
    says: str
    active: int | None
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        return self.active is not None

    @property
    def gained_nothing(self) -> bool:
        return self.outcome in (BLOCKED, NO_GAIN)


_COLUMNS = tuple(_runs.c[name] for name in Training.__dataclass_fields__)


def request_training(home: Home, learner: str, by: str, why: str, state: str = REQUESTED) -> Training:
    """Raises TrainingUnderWayError: another run has not ended. TrainingError: there is no such learner."""
    learner = _ALSO_CALLED.get(learner, learner)
    if learner not in LEARNERS:
        raise TrainingError(f"There is no learner {learner!r}.", f"Choose one of: {', '.join(LEARNERS)}.")
    active = active_training(home)
    training_id = uuid.uuid4().hex
    texts = dict.fromkeys(("run_id", "incumbent", "candidate", "outcome", "says"), "")
    values = {"training_id": training_id, "tenant_id": home.tenant_id, "learner": learner, "state": state}
    asked = {"active": 1, "requested_by": by, "why": why, "requested_at": now(), "figures": {}}
    try:
        if active is None:
            with home.database.write() as connection:
                connection.execute(insert(_runs).values(**texts, **values, **asked))
                record_event(connection, home.tenant_id, TrainingEvent(REQUESTED, training_id, learner, by, ""))
            return read_training(home, training_id)
    except DatabaseError:
        active = active_training(home)
        if active is None:  # it was not that another process was first
            raise
    under_way = f"Training {active.training_id[:12]} is {active.state}." if active else "Another training is under way."
    raise TrainingUnderWayError(under_way, "Wait for its end, or cancel it: aion train cancel.")


def ask_to_cancel(home: Home) -> Training:
    """Ask the run under way to end. Raises TrainingError: there is none."""
    active = active_training(home)
    if active is None:
        raise TrainingError("No training is under way.", "'aion train status' shows the last ones.")
    change_training(home, active.training_id, cancel_asked_at=active.cancel_asked_at or now())
    if active.state == REQUESTED:  # nothing picked it up yet
        end_training(home, active.training_id, CANCELLED, says="Cancelled before it began.")
    return read_training(home, active.training_id)


def change_training(home: Home, training_id: str, **values: Any) -> None:
    with home.database.write() as connection:
        connection.execute(update(_runs).where(_runs.c.training_id == training_id).values(**values))


def end_training(home: Home, training_id: str, state: str, *, outcome: str = "", says: str = "") -> bool:
    """A run ends once: later calls change nothing and return False."""
    still = (_runs.c.training_id == training_id, _runs.c.active.is_not(None))
    values = {"state": state, "outcome": outcome, "says": says, "active": None, "ended_at": now()}
    with home.database.write() as connection:
        ended = connection.execute(update(_runs).where(*still).values(**values).returning(_runs.c.learner)).first()
        if ended is not None:
            told = TrainingEvent(state, training_id, ended.learner, "", outcome)
            record_event(connection, home.tenant_id, told)
    return ended is not None


def active_training(home: Home) -> Training | None:
    return next(iter(_read(home, _runs.c.active.is_not(None))), None)


def read_training(home: Home, training_id: str) -> Training:
    """Raises TrainingError: there is no run of this id."""
    found = _read(home, _runs.c.training_id == training_id)
    if not found:
        raise TrainingError(f"There is no training {training_id!r}.", "'aion train status' shows the last ones.")
    return found[0]


def last_trainings(home: Home, limit: int = 10) -> list[Training]:
    """The newest first."""
    return _read(home, limit=limit)


def count_trainings(home: Home) -> int:
    with home.database.read() as connection:
        asked = select(func.count()).select_from(_runs).where(_runs.c.tenant_id == home.tenant_id)
        return int(connection.execute(asked).scalar_one())


def _read(home: Home, *where: Any, limit: int = 10) -> list[Training]:
    asked = select(*_COLUMNS).where(_runs.c.tenant_id == home.tenant_id, *where)
    with home.database.read() as connection:
        rows = connection.execute(asked.order_by(_runs.c.requested_at.desc()).limit(limit)).all()
    return [_training(row) for row in rows]


def _training(row: Row[Any]) -> Training:
    return Training(**row._asdict())
