"""The resource through which assets reach AION's stores; opened when a run needs them, never at import time."""

from functools import cached_property

import dagster as dg

from aion_assets.core.database import Database, open_database
from aion_assets.core.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.lake import Lake
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings, load_settings
from aion_assets.core.sources import get_source
from aion_assets.core.steps.embeddings import Embedder


class KnowledgeBaseResource(dg.ConfigurableResource[None]):
    @cached_property
    def settings(self) -> Settings:
        return load_settings()

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.settings.lake_uri, self.settings.home, spare=True)

    @cached_property
    def database(self) -> Database:
        return open_database(self.settings)

    @cached_property
    def embedding_model(self) -> EmbeddingModel:
        return find_embedding_model(self.settings.embed_model)

    def source(self, context: dg.AssetExecutionContext) -> Source:
        return get_source(self.database, self.settings, context.partition_key).source

    def uri(self, table: str) -> str:
        return f"{self.settings.lake_uri}/{table}.lance"

    def page(self, path: str) -> dg.UrlMetadataValue:
        """A page of AION's server."""
        return dg.MetadataValue.url(f"http://{self.settings.host}:{self.settings.port}{path}")

    def load_embedder(self) -> Embedder:
        from trainer.embedder import Embedder as TorchEmbedder

        return TorchEmbedder(self.embedding_model)
