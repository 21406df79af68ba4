"""A home: the settings, and the lake and database that they name. Each is opened once."""

from functools import cached_property

from aion_assets.core.database.engine import Database, open_database
from aion_assets.core.lake.store import Lake
from aion_assets.core.settings import Settings


class Home:
    """Opens each part on first use. `spare` is for processes that write much: see `Lake`."""

    def __init__(self, settings: Settings, *, spare: bool = False) -> None:
        self.settings = settings
        self._spare = spare

    @property
    def tenant_id(self) -> str:
        return self.settings.tenant_id

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_uri, self.settings.home, spare=self._spare)

    @cached_property
    def database(self) -> Database:
        """Raises DatabaseError: it cannot be reached, or is of a newer AION."""
        return open_database(self.settings)
