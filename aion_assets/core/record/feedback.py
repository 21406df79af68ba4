"""What people say of an answer, and what of it they open. The words stand in one table; events tell ids and figures."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.errors import AnswerNotFoundError, FeedbackError
from aion_assets.core.home import Home
from aion_assets.core.record.events import ClickEvent, FeedbackEvent, record_event

THUMBS = {"up": 1, "down": -1, "": 0}
_feedback, _answers, _passages = tables.feedback, tables.answers, tables.answer_passages


@dataclass(frozen=True, slots=True)
class Feedback:
    """`thumb` is up, down or "" for none; `correction` is what the answer should have been."""

    thumb: str = ""
    comment: str = ""
    correction: str = ""
    user_id: str = ""


def give_feedback(home: Home, answer_id: str, given: Feedback) -> str:
    """The id under which it is kept. What the same person said of this answer before is replaced, except that a field
    left empty keeps what was said in it.

    Raises AnswerNotFoundError: no answer has this id. FeedbackError: nothing was said.
    """
    if given.thumb not in THUMBS:
        raise FeedbackError(f"A thumb cannot be {given.thumb!r}.", "Give up, down or nothing.")
    if not (given.thumb or given.comment.strip() or given.correction.strip()):
        raise FeedbackError("Nothing was said of the answer.", "Give a thumb, a comment or a correction.")
    with home.database.write() as connection:
        _refuse_unknown(connection, home, answer_id)
        standing = select(_feedback).where(*_standing(home, answer_id, given.user_id))
        before = connection.execute(standing).mappings().first()
        _withdraw(connection, home, answer_id, given.user_id)
        row = _row(given, dict(before) if before else None)
        feedback_id = uuid.uuid4().hex
        ids = {"feedback_id": feedback_id, "tenant_id": home.tenant_id, "answer_id": answer_id}
        connection.execute(insert(_feedback).values(**ids, **row, user_id=given.user_id, created_at=now()))
        told = FeedbackEvent(feedback_id, row["thumb"], bool(row["comment"]), bool(row["correction"]), withdrawn=False)
        record_event(connection, home.tenant_id, told, answer_id=answer_id)
    return feedback_id


def take_feedback_back(home: Home, answer_id: str, user_id: str = "") -> bool:
    """Whether there was any. Raises AnswerNotFoundError: no answer has this id."""
    with home.database.write() as connection:
        _refuse_unknown(connection, home, answer_id)
        feedback_id = _withdraw(connection, home, answer_id, user_id)
        if feedback_id is not None:
            told = FeedbackEvent(feedback_id, 0, has_comment=False, has_correction=False, withdrawn=True)
            record_event(connection, home.tenant_id, told, answer_id=answer_id)
    return feedback_id is not None


def record_click(home: Home, answer_id: str, number: int) -> None:
    """Somebody opened the citation, or the nearest passage, of this number.

    Raises AnswerNotFoundError: no answer has this id, or it showed nothing of this number.
    """
    shown = (_passages.c.answer_id == answer_id, _passages.c.number == number, _passages.c.number > 0)
    columns = (_passages.c.rank, _passages.c.chunk_id, _passages.c.role, _passages.c.propensity)
    with home.database.write() as connection:
        _refuse_unknown(connection, home, answer_id)
        row = connection.execute(select(*columns).where(*shown)).first()
        if row is None:
            raise AnswerNotFoundError(f"Answer {answer_id!r} shows no source {number}.", "Count from 1.")
        told = ClickEvent(number, row.rank, row.chunk_id, row.role, row.propensity)
        record_event(connection, home.tenant_id, told, answer_id=answer_id)


def _refuse_unknown(connection: Connection, home: Home, answer_id: str) -> None:
    this = (_answers.c.answer_id == answer_id, _answers.c.tenant_id == home.tenant_id)
    if connection.execute(select(_answers.c.answer_id).where(*this)).first() is None:
        raise AnswerNotFoundError(
            f"There is no answer {answer_id!r}.", "Copy the answer_id that 'aion ask' or POST /api/chat returned."
        )


def _standing(home: Home, answer_id: str, user_id: str) -> tuple[ColumnElement[bool], ...]:
    of_answer = (_feedback.c.tenant_id == home.tenant_id, _feedback.c.answer_id == answer_id)
    return (*of_answer, _feedback.c.user_id == user_id, _feedback.c.withdrawn_at.is_(None))


def _withdraw(connection: Connection, home: Home, answer_id: str, user_id: str) -> str | None:
    """Id of what was taken back."""
    taken = update(_feedback).where(*_standing(home, answer_id, user_id)).values(withdrawn_at=now())
    return connection.execute(taken.returning(_feedback.c.feedback_id)).scalar()


def _row(given: Feedback, before: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = before or {"thumb": 0, "comment": "", "correction": ""}
    return {
        "thumb": THUMBS[given.thumb] or kept["thumb"],
        "comment": given.comment.strip() or kept["comment"],
        "correction": given.correction.strip() or kept["correction"],
    }
