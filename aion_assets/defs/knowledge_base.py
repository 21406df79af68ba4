"""The resource through which assets reach AION's stores. It opens them when a run needs them, never at import time."""

from functools import cached_property

import dagster as dg

from aion_assets.core.database.engine import Database
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.lake.store import Lake
from aion_assets.core.records import Source
from aion_assets.core.release.encoders import embedder_in_use
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.settings import Settings, load_settings
from aion_assets.core.sources.store import get_source
from aion_assets.core.steps.context import SourceRun
from aion_assets.defs.reporting import progress_of


class KnowledgeBaseResource(dg.ConfigurableResource[None]):
    @cached_property
    def settings(self) -> Settings:
        return load_settings()

    @cached_property
    def home(self) -> Home:
        return Home(self.settings, spare=True)

    @property
    def lake(self) -> Lake:
        return self.home.lake

    @property
    def database(self) -> Database:
        return self.home.database

    @property
    def embedding_model(self) -> EmbeddingModel:
        return embedder_in_use(self.home)

    def source(self, context: dg.AssetExecutionContext) -> Source:
        return get_source(self.database, self.settings, context.partition_key).source

    def source_run(self, context: dg.AssetExecutionContext) -> SourceRun:
        return SourceRun(self.home, self.source(context), context.run.run_id, progress_of(context))

    def uri(self, table: str) -> str:
        return f"{self.settings.lake_uri}/{table}.lance"

    def page(self, path: str) -> dg.UrlMetadataValue:
        """Address of a page of AION's server."""
        return dg.MetadataValue.url(f"http://{self.settings.host}:{self.settings.port}{path}")

    def load_embedder_of(self, models: ModelManifest) -> Embedder:
        from trainer.embedder import embedder_of

        return embedder_of(self.home, models)

    def load_embedder(self) -> Embedder:
        from trainer.embedder import Embedder as TorchEmbedder

        return TorchEmbedder(self.embedding_model)
