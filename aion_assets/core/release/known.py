"""What every question needs to know of the database: which release is current, and what must not be shown.

It is read again for each question, so that decisions of all processes hold at once. Where the database is locked and
nothing was committed since, what was read last still holds.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from aion_assets.core.database.engine import Database
from aion_assets.core.database.steady import Steady
from aion_assets.core.release.releases import current_in
from aion_assets.core.sources.tombstones import Hidden, hidden_in


class _Facts(NamedTuple):
    release_id: str | None
    hidden: Hidden


class Known:
    """Safe to share between threads. The hidden documents are listed only when their revision changed."""

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._tenant_id = tenant_id
        self._hidden: Hidden | None = None
        self._facts = Steady(database, self._read)

    def release_id(self) -> str | None:
        """Of the current release; None before the first."""
        return self._facts.get().release_id

    def hidden(self) -> Hidden:
        """Documents and sources that must not be shown, whatever the release holds."""
        return self._facts.get().hidden

    def _read(self, connection: Connection) -> _Facts:
        self._hidden = hidden_in(connection, self._tenant_id, self._hidden)
        return _Facts(current_in(connection, self._tenant_id), self._hidden)
