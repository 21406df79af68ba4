"""The append-only record of what happened. Never secrets; texts of questions only as far as `MAX_QUESTION_CHARS`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from aion_assets.core import schema
from aion_assets.core.database import now

RETRIEVAL, ANSWER = "retrieval", "answer"
MAX_QUESTION_CHARS = 512


def record_event(connection: Connection, tenant_id: str, kind: str, body: Mapping[str, Any]) -> None:
    """Inside a transaction, so that an event exists exactly when what it tells of does."""
    connection.execute(insert(schema.events).values(tenant_id=tenant_id, kind=kind, created_at=now(), body=dict(body)))
