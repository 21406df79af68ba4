"""What must not be shown whatever the release holds, read again as soon as anybody decided anything."""

from typing import Any

from sqlalchemy import func, select

from aion_assets.core import schema
from aion_assets.core.curation import Hidden, hidden
from aion_assets.core.database import Database


class Tombstones:
    """Every call sees the decisions of every process; the list itself is read only when it changed."""

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._known: tuple[Any, Hidden] = (None, Hidden(frozenset(), frozenset()))

    def hidden(self) -> Hidden:
        # Taken before the list: a decision in between is then seen by the next call at the latest.
        state = self._state()
        known_state, known = self._known
        if state != known_state:
            known = hidden(self._database, self._tenant_id)
            self._known = (state, known)
        return known

    def _state(self) -> Any:
        """Every new stone is younger than all others, and one taken away leaves one less."""
        stones = schema.tombstones
        with self._database.read() as connection:
            row = connection.execute(
                select(func.count(), func.max(stones.c.created_at)).where(stones.c.tenant_id == self._tenant_id)
            ).one()
        return tuple(row)
