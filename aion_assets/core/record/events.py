"""The append-only record of events: ids and figures, never a word of a question, answer or document."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Connection, insert, select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` names the class in the table. The fields are the event's body."""

    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class RetrievalEvent(Event):
    """`hits` are {rank, chunk_id, score}."""

    kind: ClassVar[str] = "retrieval"
    release_id: str
    language: str
    C: float
    raw_C: float
    hits: Sequence[Mapping[str, Any]]
    latency_ms: float


@dataclass(frozen=True, slots=True)
class AnswerEvent(Event):
    """`citations` are chunk ids. `latency_ms` is by layer. `dropped` counts a model's sentences without support, by
    reason.
    """

    kind: ClassVar[str] = "answer"
    release_id: str
    used: str
    C: float
    tau: float
    citations: Sequence[str]
    latency_ms: Mapping[str, float]
    provider: str = ""
    model: str = ""
    tokens: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedbackEvent(Event):
    """`thumb` is 1, -1, or 0 for none; the words stand in the table `feedback`."""

    kind: ClassVar[str] = "feedback"
    feedback_id: str
    thumb: int
    has_comment: bool
    has_correction: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class ClickEvent(Event):
    """A source was opened: its number in the answer, and the rank and propensity of its passage."""

    kind: ClassVar[str] = "click"
    number: int
    rank: int
    chunk_id: str
    role: str
    propensity: float


@dataclass(frozen=True, slots=True)
class ImpressionEvent(Event):
    """Suggestions were shown below an answer, in this order."""

    kind: ClassVar[str] = "impression"
    suggestion_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class SuggestionEvent(Event):
    """A suggestion was chosen, for the first time."""

    kind: ClassVar[str] = "suggestion_click"
    suggestion_id: str
    rank: int
    of_kind: str


@dataclass(frozen=True, slots=True)
class ConversionEvent(Event):
    """What a chosen suggestion led to has happened. `value` is in whatever unit the organisation counts."""

    kind: ClassVar[str] = "conversion"
    suggestion_id: str
    value: float


@dataclass(frozen=True, slots=True)
class LabelEvent(Event):
    """A person looked at the question of an answer. `action`: labelled or passed_over."""

    kind: ClassVar[str] = "label"
    action: str
    by: str


@dataclass(frozen=True, slots=True)
class InterleavingEvent(Event):
    """The sources of an answer were picked by two rankers: number → new or old. `models`: the release that serves."""

    kind: ClassVar[str] = "interleaving"
    models: str
    rival: str
    teams: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CorrectionEvent(Event):
    """`action`: approved, rejected or expired. `why`: of an expiry."""

    kind: ClassVar[str] = "correction"
    correction_id: str
    action: str
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseEvent(Event):
    """`action`: published or rolled_back. `before`: the release that served until then, "" before the first."""

    kind: ClassVar[str] = "release"
    action: str
    release_id: str
    before: str
    by: str


@dataclass(frozen=True, slots=True)
class TrainingEvent(Event):
    """`action`: requested, or how it ended. `outcome` is "" where nothing was decided."""

    kind: ClassVar[str] = "training"
    action: str
    training_id: str
    learner: str
    by: str
    outcome: str


@dataclass(frozen=True, slots=True)
class AlarmEvent(Event):
    """Something of the pipeline fails, or is well again. `of`: sensor, schedule, run or check; `error`: class of the
    error, "" where there is none.
    """

    kind: ClassVar[str] = "alarm"
    of: str
    name: str
    failing: bool
    error: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunFailureEvent(Event):
    kind: ClassVar[str] = "run_failure"
    run_id: str
    job: str


def published_order(connection: Connection, tenant_id: str) -> dict[str, int]:
    """release_id → number that grows from one first publication to the next. Releases of before the record are
    missing.
    """
    of_releases = (tables.events.c.tenant_id == tenant_id, tables.events.c.kind == ReleaseEvent.kind)
    asked = (
        select(tables.events.c.event_id, tables.events.c.body).where(*of_releases).order_by(tables.events.c.event_id)
    )
    order: dict[str, int] = {}
    for event_id, body in connection.execute(asked):
        order.setdefault(body["release_id"], event_id)
    return order


def record_event(connection: Connection, tenant_id: str, event: Event, *, answer_id: str = "") -> None:
    """Call it in the transaction of what the event tells of, so that both exist or neither."""
    stamp = {"tenant_id": tenant_id, "kind": event.kind, "created_at": now()}
    connection.execute(insert(tables.events).values(**stamp, answer_id=answer_id, body=asdict(event)))
