"""Take a folder through AION's own steps without Dagster, for `bench.speed` and `bench.evaluate`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.index.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.lake.store import Lake
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings, load_settings
from aion_assets.core.sources.store import add_source, list_sources
from aion_assets.core.steps.chunks import chunk_source
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.curated import curate_source
from aion_assets.core.steps.documents import parse_source
from aion_assets.core.steps.embeddings import embed_source
from aion_assets.core.steps.knowledge import build_index
from aion_assets.core.steps.pages import collect_source
from aion_assets.core.steps.release import release_index
from aion_assets.core.steps.report import ShowProgress
from aion_assets.core.steps.retrieval_report import measure_retrieval
from aion_assets.local.bars import Draw, no_bars

_RUN = "bench"
_CODE = "bench"


@dataclass(slots=True)
class TemporaryHome:
    """A temporary home with everything open. `draw` is called with the progress of each step."""

    home: Home
    model: EmbeddingModel
    embedder: Embedder
    draw: Draw = no_bars

    @property
    def lake(self) -> Lake:
        return self.home.lake

    @property
    def settings(self) -> Settings:
        return self.home.settings

    def add(self, address: str) -> Source:
        known = (
            state.source for state in list_sources(self.home.database, self.settings) if state.source.address == address
        )
        return next(known, None) or add_source(self.home.database, self.home.settings, address, auto_approve=True)

    def ingest(self, source: Source) -> dict[str, float]:
        """Seconds for every step, and `total`."""
        home, model = self.home, self.model

        def run(step: str) -> SourceRun:
            return SourceRun(home, source, _RUN, self._show(step))

        steps: dict[str, Callable[[], object]] = {
            "pages": lambda: collect_source(run("pages")),
            "documents": lambda: parse_source(run("documents"), _CODE),
            "curated_documents": lambda: curate_source(run("curated_documents")),
            "chunks": lambda: chunk_source(run("chunks"), model, _CODE),
            "embeddings": lambda: embed_source(run("embeddings"), model.embedder_id, lambda: self.embedder),
            "index": lambda: build_index(home, model.embedder_id, model.dimension, self._show("index")),
            "report": lambda: measure_retrieval(home, model, lambda: self.embedder, _RUN),
            "release": lambda: release_index(home, model, _RUN),
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
def temporary_home(draw: Draw = no_bars, keep: Path | None = None) -> Iterator[TemporaryHome]:
    """A temporary home, or one in the folder `keep`, where the next call finds what was embedded. Databases and lake
    that the environment names stay untouched.
    """
    from trainer.embedder import Embedder as LoadedEmbedder

    with nullcontext(keep) if keep else TemporaryDirectory(prefix="aion-bench-") as folder:
        settings = load_settings().model_copy(
            update={"home": Path(folder) / "home", "database_url": "", "dagster_db": "", "lake": ""}
        )
        model = find_embedding_model(settings.embed_model, settings.home)
        yield TemporaryHome(Home(settings), model, LoadedEmbedder(model), draw)
