"""One folder through AION's own steps, without Dagster: what `bench.speed` and `bench.evaluate` measure with."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from aion_assets.bars import Draw, no_bars
from aion_assets.core import sources
from aion_assets.core.database import Database, open_database
from aion_assets.core.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.lake import Lake
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings, load_settings
from aion_assets.core.steps.chunks import chunk_source
from aion_assets.core.steps.curated import curate_source
from aion_assets.core.steps.documents import parse_source
from aion_assets.core.steps.embeddings import Embedder, embed_source
from aion_assets.core.steps.knowledge import build_index
from aion_assets.core.steps.pages import collect_source
from aion_assets.core.steps.release import release_index
from aion_assets.core.steps.report import ShowProgress

_RUN = "bench"
_CODE = "bench"


@dataclass(slots=True)
class Home:
    """A temporary home with everything open; `draw` is told how far each step is."""

    settings: Settings
    database: Database
    lake: Lake
    model: EmbeddingModel
    embedder: Embedder
    draw: Draw = no_bars

    def add(self, address: str) -> Source:
        return sources.add_source(self.database, self.settings, address, auto_approve=True)

    def ingest(self, source: Source) -> dict[str, float]:
        """Seconds of every step, and `total`."""
        lake, database, settings, model, show = self.lake, self.database, self.settings, self.model, self._show
        steps: dict[str, Callable[[], object]] = {
            "pages": lambda: collect_source(lake, database, settings, source, _RUN, show("pages")),
            "documents": lambda: parse_source(lake, database, settings, source, _CODE, _RUN, show("documents")),
            "curated_documents": lambda: curate_source(lake, database, source, _RUN),
            "chunks": lambda: chunk_source(lake, database, source, model, _CODE, _RUN, show("chunks")),
            "embeddings": lambda: embed_source(
                lake, database, source, model.embedder_id, lambda: self.embedder, show("embeddings")
            ),
            "index": lambda: build_index(
                lake, database, settings.tenant_id, model.embedder_id, model.dimension, show("index")
            ),
            "release": lambda: release_index(lake, database, settings, model, _RUN),
        }
        seconds = {}
        for name, step in steps.items():
            started = time.monotonic()
            step()
            seconds[name] = time.monotonic() - started
        return seconds | {"total": sum(seconds.values())}

    def _show(self, step: str) -> ShowProgress:
        return partial(self.draw, step)


@contextmanager
def temporary_home(draw: Draw = no_bars) -> Iterator[Home]:
    """A home that is nobody's: the databases and the lake that the environment names are left alone, too."""
    from trainer.embedder import Embedder as TorchEmbedder

    with TemporaryDirectory(prefix="aion-bench-") as folder:
        settings = load_settings().model_copy(
            update={"home": Path(folder) / "home", "database_url": "", "dagster_db": "", "lake": ""}
        )
        model = find_embedding_model(settings.embed_model)
        yield Home(settings, open_database(settings), Lake(settings.lake_uri), model, TorchEmbedder(model), draw)
