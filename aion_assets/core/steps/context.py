"""What a step of one source is given."""

from dataclasses import dataclass

from aion_assets.core.database.engine import Database
from aion_assets.core.home import Home
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.store import Lake
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings
from aion_assets.core.steps.report import ShowProgress, silent


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One run over one source. `run_id` stands in every row that the run writes."""

    home: Home
    source: Source
    run_id: str
    show: ShowProgress = silent

    @property
    def lake(self) -> Lake:
        return self.home.lake

    @property
    def database(self) -> Database:
        return self.home.database

    @property
    def settings(self) -> Settings:
        return self.home.settings

    @property
    def source_id(self) -> str:
        return self.source.source_id

    @property
    def of_source(self) -> str:
        """The condition that the rows of the source meet, in every table that has them."""
        return f"source_id = {quoted(self.source_id)}"
