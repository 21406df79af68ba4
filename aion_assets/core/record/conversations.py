"""Conversations: the answers that share an id which their asker chose."""

from datetime import datetime

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database

_answers = tables.answers


def questions_before(
    database: Database, tenant_id: str, conversation_id: str, until: datetime | None = None
) -> list[str]:
    """What was asked in the conversation so far, or before `until`, the newest first; nothing for ""."""
    if not conversation_id:
        return []
    asked = select(_answers.c.question).where(
        _answers.c.tenant_id == tenant_id, _answers.c.conversation_id == conversation_id
    )
    if until is not None:
        asked = asked.where(_answers.c.created_at < until)
    with database.read() as connection:
        return [*connection.execute(asked.order_by(_answers.c.turn.desc(), _answers.c.created_at.desc())).scalars()]
