"""The record of answers: opened when generation starts, closed when it ends, with a snapshot of what was shown."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from aion_assets.core.answer.extractive import ABSTENTION, EXTRACTIVE, Answer
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, now
from aion_assets.core.database.prefixes import full_id
from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.record.events import AnswerEvent, InterleavingEvent, RetrievalEvent, record_event
from aion_assets.core.record.passages import (
    GivenPassage,
    citations_of,
    passage_rows,
    read_passages,
)
from aion_assets.core.record.suggestions import ShownSuggestion
from aion_assets.core.records import Citation
from aion_assets.core.search.hits import Retrieval

_answers = tables.answers


class State(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    ABSTAINED = "abstained"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known when generation starts: who asked what, and over which release."""

    question: str
    release_id: str
    prompt_version: str
    channel: str = "api"
    conversation_id: str = ""
    turn: int = 0
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """`nearest`: what an abstention offered instead of citations. `given`: in the order of the retrieval.
    `notice`: why an older release answered. While the answer is new it has `suggestions`, what is offered below it, and
    `expired`: why a correction that was approved for its question does not answer it any more.
    """

    answer_id: str
    tenant_id: str
    state: State
    reason: str
    created_at: datetime
    closed_at: datetime | None
    question: str
    text: str
    engine: str
    confidence: float
    tau: float
    language: str
    release_id: str
    latency_ms: Mapping[str, float]
    user_id: str = ""
    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    citations: Sequence[Citation] = field(default_factory=list)
    nearest: Sequence[Citation] = field(default_factory=list)
    given: Sequence[GivenPassage] = field(default_factory=list)
    suggestions: Sequence[ShownSuggestion] = field(default_factory=list)
    notice: str = ""
    expired: str = ""

    @property
    def used(self) -> str:
        """What people are told: the engine, or that there was no answer."""
        return ABSTENTION if self.state == State.ABSTAINED else self.engine


def open_answer(database: Database, tenant_id: str, asked: Asked) -> str:
    """Open an answer and return its id. It must be closed, whatever happens to its generation."""
    answer_id = uuid.uuid4().hex
    unknown = dict.fromkeys(("text", "language", "engine", "provider", "model", "policy_version", "reason"), "")
    figures = dict.fromkeys(("confidence", "raw_confidence", "tau", "cost"), 0.0)
    values = {
        "answer_id": answer_id,
        "tenant_id": tenant_id,
        "conversation_id": asked.conversation_id,
        "turn": asked.turn,
        "user_id": asked.user_id,
        "channel": asked.channel,
        "state": State.OPEN,
        "created_at": now(),
        "question": asked.question,
        "release_id": asked.release_id,
        "prompt_version": asked.prompt_version,
        "features": {},
        "latency_ms": {},
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }
    with database.write() as connection:
        connection.execute(insert(_answers).values(**unknown, **figures, **values))
    return answer_id


def move_answer(database: Database, answer_id: str, release_id: str, prompt_version: str) -> None:
    """Say that another release answers: the one that it was opened with turned out to be damaged."""
    values = {"release_id": release_id, "prompt_version": prompt_version}
    is_open = (_answers.c.answer_id == answer_id, _answers.c.state == State.OPEN)
    with database.write() as connection:
        connection.execute(update(_answers).where(*is_open).values(**values))


def close_answer(
    database: Database, answer_id: str, retrieval: Retrieval, answer: Answer, latency_ms: Mapping[str, float]
) -> AnswerRecord:
    """Store the answer and its two events in one transaction. An answer is closed once: one that was ended meanwhile
    stays as it is.
    """
    state = State.ABSTAINED if answer.used == ABSTENTION else State.COMPLETE
    state = State.CANCELLED if answer.cancelled else state
    values = {
        "state": state,
        "closed_at": now(),
        "text": answer.text,
        "language": answer.language,
        "engine": EXTRACTIVE if answer.used == ABSTENTION else answer.used,
        "provider": answer.provider,
        "model": answer.model,
        "reason": answer.reason,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "confidence": answer.confidence,
        "raw_confidence": retrieval.raw_confidence,
        "tau": answer.tau,
        "features": {name: round(value, 6) for name, value in retrieval.features.items()},
        "latency_ms": {name: round(value, 3) for name, value in latency_ms.items()},
    }
    if answer.prompt_version:
        values["prompt_version"] = answer.prompt_version
    is_open = (_answers.c.answer_id == answer_id, _answers.c.state == State.OPEN)
    rows = passage_rows(answer_id, retrieval.hits, answer.citations, answer.nearest)
    with database.write() as connection:
        ended = update(_answers).where(*is_open).values(**values)
        closed = connection.execute(ended.returning(_answers.c.tenant_id, _answers.c.release_id)).first()
        if closed is not None:
            tenant_id, release_id = closed
            if rows:
                connection.execute(insert(tables.answer_passages), rows)
            told = _retrieval_event(release_id, retrieval, answer)
            record_event(connection, tenant_id, told, answer_id=answer_id)
            if answer.interleaved is not None:
                teams = {str(number): team for number, team in answer.interleaved.teams.items()}
                drafted = InterleavingEvent(_models_of(connection, release_id), answer.interleaved.rival, teams)
                record_event(connection, tenant_id, drafted, answer_id=answer_id)
            record_event(connection, tenant_id, _answer_event(release_id, answer, latency_ms), answer_id=answer_id)
        row = connection.execute(select(_answers).where(_answers.c.answer_id == answer_id)).mappings().one()
        stored = dict(row)
    return _record(stored, answer.citations, answer.nearest, [GivenPassage.from_row(given) for given in rows])


def end_answer(database: Database, answer_id: str, state: State, reason: str) -> None:
    """Close an answer without text: cancelled, or failed with a reason."""
    is_open = (_answers.c.answer_id == answer_id, _answers.c.state == State.OPEN)
    with database.write() as connection:
        connection.execute(update(_answers).where(*is_open).values(state=state, reason=reason, closed_at=now()))


def end_abandoned_answers(database: Database, tenant_id: str, older_than: timedelta) -> int:
    """Close the answers whose process died. Returns how many."""
    abandoned = (
        _answers.c.tenant_id == tenant_id,
        _answers.c.state == State.OPEN,
        _answers.c.created_at < now() - older_than,
    )
    values = {"state": State.FAILED, "reason": "The process that answered ended.", "closed_at": now()}
    with database.write() as connection:
        return connection.execute(update(_answers).where(*abandoned).values(**values)).rowcount


def full_answer_id(database: Database, tenant_id: str, given: str) -> str:
    """The id that begins so. Raises PrefixError: the beginning is too short or not of one answer alone."""
    return full_id(database, _answers.c.answer_id, given, _answers.c.tenant_id == tenant_id)


def read_answer(database: Database, tenant_id: str, answer_id: str) -> AnswerRecord:
    """Raises AnswerNotFoundError: no answer of the tenant has this id."""
    this = (_answers.c.answer_id == answer_id, _answers.c.tenant_id == tenant_id)
    with database.read() as connection:
        row = connection.execute(select(_answers).where(*this)).mappings().first()
        if row is None:
            raise AnswerNotFoundError(
                f"There is no answer {answer_id!r}.", "Copy the answer_id that 'aion ask' or POST /api/chat returned."
            )
        passages = read_passages(connection, answer_id)
    cited, nearest = citations_of(passages)
    return _record(dict(row), cited, nearest, [GivenPassage.from_row(passage) for passage in passages])


def _record(
    row: Mapping[str, Any],
    citations: Sequence[Citation],
    nearest: Sequence[Citation],
    given: Sequence[GivenPassage],
) -> AnswerRecord:
    names = (
        "answer_id", "tenant_id", "reason", "created_at", "closed_at", "question", "text", "engine", "confidence",
        "tau", "language", "release_id", "latency_ms", "user_id", "provider", "model", "prompt_version",
        "prompt_tokens", "completion_tokens",
    )  # fmt: skip
    plain = {name: row[name] for name in names}
    return AnswerRecord(**plain, state=State(row["state"]), citations=citations, nearest=nearest, given=given)


def _models_of(connection: Connection, release_id: str) -> str:
    releases = tables.releases
    asked = select(releases.c.model_release_id).where(releases.c.release_id == release_id)
    return connection.execute(asked).scalar() or ""


def _retrieval_event(release_id: str, retrieval: Retrieval, answer: Answer) -> RetrievalEvent:
    return RetrievalEvent(
        release_id=release_id,
        language=retrieval.language,
        C=round(answer.confidence, 4),
        raw_C=round(retrieval.raw_confidence, 4),
        hits=[
            {"rank": rank, "chunk_id": hit.chunk_id, "score": round(float(hit.score), 4)}
            for rank, hit in enumerate(retrieval.hits, start=1)
        ],
        latency_ms=round(1000 * retrieval.seconds, 3),
    )


def _answer_event(release_id: str, answer: Answer, latency_ms: Mapping[str, float]) -> AnswerEvent:
    return AnswerEvent(
        release_id=release_id,
        used=answer.used,
        C=round(answer.confidence, 4),
        tau=answer.tau,
        citations=[item.passage.chunk_id for item in answer.citations],
        latency_ms={name: round(value, 3) for name, value in latency_ms.items()},
        provider=answer.provider,
        model=answer.model,
        tokens=answer.prompt_tokens + answer.completion_tokens,
        dropped=dict(answer.dropped),
    )
