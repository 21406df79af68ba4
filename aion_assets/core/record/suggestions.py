"""Suggestions below answers: what was shown is an impression, what was chosen a click, what came of it a conversion."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select, update

from aion_assets.core.answer.suggestions import Suggestion
from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.errors import AnswerNotFoundError, FeedbackError
from aion_assets.core.home import Home
from aion_assets.core.record.events import ConversionEvent, ImpressionEvent, SuggestionEvent, record_event

_suggestions = tables.suggestions


@dataclass(frozen=True, slots=True)
class ShownSuggestion:
    suggestion_id: str
    suggestion: Suggestion


def show_suggestions(home: Home, answer_id: str, offered: Sequence[Suggestion]) -> list[ShownSuggestion]:
    """Store what is offered below the answer, and the impression."""
    shown = [ShownSuggestion(uuid.uuid4().hex, item) for item in offered]
    if not shown:
        return []
    stamp = {"tenant_id": home.tenant_id, "answer_id": answer_id, "created_at": now()}
    rows = [
        {"suggestion_id": item.suggestion_id, "rank": rank, **stamp, **_words(item.suggestion)}
        for rank, item in enumerate(shown, start=1)
    ]
    with home.database.write() as connection:
        connection.execute(insert(_suggestions), rows)
        told = ImpressionEvent([item.suggestion_id for item in shown])
        record_event(connection, home.tenant_id, told, answer_id=answer_id)
    return shown


def choose_suggestion(home: Home, suggestion_id: str) -> None:
    """Somebody chose it. A second time counts no more, so that there are never more clicks than impressions.

    Raises AnswerNotFoundError: it was never shown.
    """
    with home.database.write() as connection:
        this = _this(home, suggestion_id)
        row = connection.execute(select(_suggestions).where(*this)).first()
        if row is None:
            raise _unknown(suggestion_id)
        if row.chosen_at is None:
            connection.execute(update(_suggestions).where(*this).values(chosen_at=now()))
            told = SuggestionEvent(suggestion_id, row.rank, row.kind)
            record_event(connection, home.tenant_id, told, answer_id=row.answer_id)


def convert_suggestion(home: Home, suggestion_id: str, value: float = 1.0) -> None:
    """What it led to has happened; only the first time counts.

    Raises AnswerNotFoundError: it was never shown. FeedbackError: nobody chose it.
    """
    with home.database.write() as connection:
        this = _this(home, suggestion_id)
        row = connection.execute(select(_suggestions).where(*this)).first()
        if row is None:
            raise _unknown(suggestion_id)
        if row.chosen_at is None:
            raise FeedbackError(
                f"Nobody chose suggestion {suggestion_id!r}.",
                f"POST /api/suggestions/{suggestion_id}/click tells that it was chosen; a conversion follows a click.",
            )
        if row.converted_at is None:
            connection.execute(update(_suggestions).where(*this).values(converted_at=now()))
            told = ConversionEvent(suggestion_id, value)
            record_event(connection, home.tenant_id, told, answer_id=row.answer_id)


def _this(home: Home, suggestion_id: str) -> tuple[ColumnElement[bool], ...]:
    return (_suggestions.c.tenant_id == home.tenant_id, _suggestions.c.suggestion_id == suggestion_id)


def _words(item: Suggestion) -> dict[str, str]:
    return {"kind": item.kind, "text": item.text, "url": item.url}


def _unknown(suggestion_id: str) -> AnswerNotFoundError:
    return AnswerNotFoundError(
        f"There is no suggestion {suggestion_id!r}.", "Answers of POST /api/chat name theirs under `suggestions`."
    )
