"""Documents and sources that must not be shown, whatever the release holds. They are read again after every change."""

from aion_assets.core.database.engine import Database
from aion_assets.core.sources.tombstones import Hidden, read_hidden, read_revision

_UNREAD = Hidden(frozenset(), frozenset(), revision=-1)


class Tombstones:
    """Every call sees the decisions of all processes. The list is read only when its revision changed."""

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._known = _UNREAD

    def hidden(self) -> Hidden:
        if read_revision(self._database, self._tenant_id) != self._known.revision:
            self._known = read_hidden(self._database, self._tenant_id)
        return self._known
