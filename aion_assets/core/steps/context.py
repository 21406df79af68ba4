"""The input of a step that works on one source."""

from collections.abc import Callable
from dataclasses import dataclass

from aion_assets.core.database.engine import Database
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.store import Lake
from aion_assets.core.records import Source
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.settings import Settings
from aion_assets.core.steps.report import ShowProgress, silent

# Loads the embedder of a release.
LoadEmbedderOf = Callable[[ModelManifest], Embedder]


@dataclass(frozen=True, slots=True)
class SourceRun:
    """One run over one source. Every row that the run writes carries `run_id`."""

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
        """The SQL condition for the rows of the source, in every table that has a source_id."""
        return f"source_id = {quoted(self.source_id)}"
