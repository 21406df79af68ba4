"""Streams: the pieces of an answer as they were written, kept until some time after its end.

The database is the buffer, so that any server process can resume a stream from any piece, stop it, or end it when the
process that wrote it has died. The id of a stream is that of its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from aion_assets.core.database import stream_tables as tables
from aion_assets.core.database.engine import Database, now
from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.record.answers import State, end_answer

# A process that was not heard of for so long is dead. It is heard of far more often.
SILENCE = timedelta(seconds=15)
_KEPT_FOR = timedelta(hours=1)
DIED = "The process that answered ended."
_streams, _events = tables.streams, tables.stream_events


class Kind(StrEnum):
    """What an event tells. `answer` and `error` are the last of their stream."""

    TEXT = "text"
    ANSWER = "answer"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """`number` counts from 1. `text` is the piece, or what went wrong; "" for an answer, which has its own record."""

    number: int
    kind: Kind
    text: str

    @property
    def is_last(self) -> bool:
        return self.kind is not Kind.TEXT


def open_stream(database: Database, tenant_id: str, answer_id: str, request_id: str = "") -> str:
    """Open the stream of an answer that was just opened, and return its id.

    Where the caller's request has a stream already, that one's id comes back, and nothing is stored.
    """
    values = {"answer_id": answer_id, "tenant_id": tenant_id, "request_id": request_id or None}
    try:
        # The bare engine: the error is expected, and Database.write would put it into words.
        with database.engine.begin() as connection:
            connection.execute(insert(_streams).values(**values, stop_requested=False, alive_at=now()))
    except IntegrityError:
        found = stream_of_request(database, tenant_id, request_id)
        if found is None:
            raise
        return found
    return answer_id


def stream_of_request(database: Database, tenant_id: str, request_id: str) -> str | None:
    """Id of the stream that this request started, None where it did not."""
    this = (_streams.c.tenant_id == tenant_id, _streams.c.request_id == request_id)
    with database.read() as connection:
        return connection.execute(select(_streams.c.answer_id).where(*this)).scalar() if request_id else None


def append_event(database: Database, answer_id: str, kind: Kind, text: str = "") -> bool:
    """Add the next event. False: the stream has ended, and nothing was stored."""
    with database.write() as connection:
        still_open = (_streams.c.answer_id == answer_id, _streams.c.ended_at.is_(None))
        values = {"alive_at": now()} if kind is Kind.TEXT else {"alive_at": now(), "ended_at": now()}
        # The update locks the row, so that two processes cannot both write the last event.
        if not connection.execute(update(_streams).where(*still_open).values(**values)).rowcount:
            return False
        newest = select(func.coalesce(func.max(_events.c.number), 0)).where(_events.c.answer_id == answer_id)
        number = int(connection.execute(newest).scalar_one()) + 1
        connection.execute(insert(_events).values(answer_id=answer_id, number=number, kind=kind, text=text))
    return True


def read_events(database: Database, answer_id: str, after: int) -> list[StreamEvent]:
    """The events behind number `after`, in order."""
    wanted = select(_events.c.number, _events.c.kind, _events.c.text).where(
        _events.c.answer_id == answer_id, _events.c.number > after
    )
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(_events.c.number)).all()
    return [StreamEvent(row.number, Kind(row.kind), row.text) for row in rows]


def keep_alive(database: Database, answer_ids: Sequence[str]) -> set[str]:
    """Say that this process still writes these streams. Returns those that somebody asked to stop."""
    if not answer_ids:
        return set()
    ours = _streams.c.answer_id.in_(answer_ids)
    stopped = select(_streams.c.answer_id).where(ours, _streams.c.stop_requested.is_(True))
    with database.write() as connection:
        connection.execute(update(_streams).where(ours, _streams.c.ended_at.is_(None)).values(alive_at=now()))
        return {*connection.execute(stopped).scalars()}


def stops_among(database: Database, answer_ids: Sequence[str]) -> set[str]:
    """Those of these streams that somebody asked to stop."""
    asked = select(_streams.c.answer_id).where(
        _streams.c.answer_id.in_(answer_ids), _streams.c.stop_requested.is_(True)
    )
    with database.read() as connection:
        return {*connection.execute(asked).scalars()}


def request_stop(database: Database, tenant_id: str, answer_id: str) -> bool:
    """Ask whichever process writes the stream to stop. False: it has ended already.

    Raises AnswerNotFoundError: there is no such stream.
    """
    require_stream(database, tenant_id, answer_id)
    still_open = (_streams.c.answer_id == answer_id, _streams.c.ended_at.is_(None))
    with database.write() as connection:
        return bool(connection.execute(update(_streams).where(*still_open).values(stop_requested=True)).rowcount)


def require_stream(database: Database, tenant_id: str, answer_id: str) -> None:
    """Raises AnswerNotFoundError: the tenant has no such stream, or it ended long ago."""
    this = (_streams.c.answer_id == answer_id, _streams.c.tenant_id == tenant_id)
    with database.read() as connection:
        if connection.execute(select(_streams.c.answer_id).where(*this)).first() is None:
            raise AnswerNotFoundError(f"There is no stream {answer_id!r}.", "Ask the question again.")


def end_if_dead(database: Database, answer_id: str) -> bool:
    """End a stream whose process died, and its answer, as failed. Returns whether it did."""
    dead = (
        _streams.c.answer_id == answer_id,
        _streams.c.ended_at.is_(None),
        _streams.c.alive_at < now() - SILENCE,
    )
    with database.read() as connection:
        if connection.execute(select(_streams.c.answer_id).where(*dead)).first() is None:
            return False
    end_answer(database, answer_id, State.FAILED, DIED)
    return append_event(database, answer_id, Kind.ERROR, DIED)


def end_dead_streams(database: Database, tenant_id: str) -> int:
    """End all streams whose process died, and forget the pieces of those that ended long ago. Returns how many ended
    so.
    """
    of_tenant = _streams.c.tenant_id == tenant_id
    dead = select(_streams.c.answer_id).where(
        of_tenant, _streams.c.ended_at.is_(None), _streams.c.alive_at < now() - SILENCE
    )
    old = select(_streams.c.answer_id).where(of_tenant, _streams.c.ended_at < now() - _KEPT_FOR)
    with database.write() as connection:
        found = connection.execute(dead).scalars().all()
        connection.execute(delete(_events).where(_events.c.answer_id.in_(old)))
        connection.execute(delete(_streams).where(_streams.c.answer_id.in_(old)))
    return sum(end_if_dead(database, answer_id) for answer_id in found)
