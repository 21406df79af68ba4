"""A home with its stores, in which the steps of the pipeline are run one by one, without Dagster."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from models import minilm_model

from aion_assets.core.curate.decisions import Verdict, decide
from aion_assets.core.database.engine import Database
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.index.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.tables import embeddings_name, knowledge_name
from aion_assets.core.records import Source
from aion_assets.core.release.releases import current_release
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import add_source, get_source, mark_pipeline
from aion_assets.core.sources.tombstones import read_hidden
from aion_assets.core.steps.chunks import chunk_source
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.curated import curate_source
from aion_assets.core.steps.documents import parse_source
from aion_assets.core.steps.embeddings import embed_source
from aion_assets.core.steps.knowledge import build_index
from aion_assets.core.steps.pages import collect_source
from aion_assets.core.steps.release import ReleaseReport, release_index
from aion_assets.core.steps.report import StepReport
from aion_assets.core.steps.retrieval_report import RetrievalReport, measure_retrieval

CODE = "code-1"


@cache
def loaded_embedder(model: EmbeddingModel) -> Embedder:
    from trainer.embedder import Embedder as LoadedEmbedder

    return LoadedEmbedder(model)


def embedder() -> Embedder:
    """Of the small model with which tests run."""
    return loaded_embedder(minilm_model())


class Workbench:
    """Step methods take a source; `code` stands for the code version of parsers and chunker."""

    def __init__(self, settings: Settings, database: Database | None = None) -> None:
        self.home = Home(settings)
        if database is not None:
            self.home.database = database
        self.lake, self.database = self.home.lake, self.home.database
        self.model: EmbeddingModel = find_embedding_model(settings.embed_model, settings.home)
        self.run_id = "run-1"

    @property
    def settings(self) -> Settings:
        return self.home.settings

    @settings.setter
    def settings(self, changed: Settings) -> None:
        self.home.settings = changed

    @property
    def tenant_id(self) -> str:
        return self.settings.tenant_id

    def add(self, address: Path | str, *, auto_approve: bool = True, **options: Any) -> Source:
        return add_source(
            self.database, self.settings, str(address), **{"auto_approve": auto_approve, "schedule_s": 0, **options}
        )

    def source_run(self, source: Source) -> SourceRun:
        return SourceRun(self.home, source, self.run_id)

    def collect(self, source: Source) -> StepReport:
        return collect_source(self.source_run(source))

    def parse(self, source: Source, code: str = CODE) -> StepReport:
        return parse_source(self.source_run(source), code)

    def curate(self, source: Source) -> StepReport:
        return curate_source(self.source_run(source))

    def chunk(self, source: Source, code: str = CODE) -> StepReport:
        return chunk_source(self.source_run(source), self.model, code)

    def embed(self, source: Source) -> StepReport:
        return self.embed_with(loaded_embedder(self.model), source)

    def embed_with(self, loaded: Embedder, source: Source) -> StepReport:
        report = embed_source(self.source_run(source), self.model.embedder_id, lambda: loaded)
        mark_pipeline(self.database, source.source_id, CODE)
        return report

    def index(self) -> StepReport:
        return build_index(self.home, self.model.embedder_id, self.model.dimension)

    def measure(self) -> RetrievalReport:
        return measure_retrieval(self.home, self.model, lambda: loaded_embedder(self.model))

    def release(self) -> ReleaseReport:
        """Of what the index holds now, which is measured first."""
        return self.release_with(loaded_embedder(self.model))

    def release_with(self, loaded: Embedder) -> ReleaseReport:
        measure_retrieval(self.home, self.model, lambda: loaded)
        return release_index(self.home, self.model, self.run_id)

    def to_chunks(self, source: Source) -> dict[str, StepReport]:
        steps = {"pages": self.collect, "documents": self.parse, "curated": self.curate, "chunks": self.chunk}
        return {name: step(source) for name, step in steps.items()}

    def run(self, *some: Source) -> dict[str, StepReport]:
        """Everything up to a release; the reports of the steps are those of the last source."""
        reports: dict[str, StepReport] = {}
        for source in some:
            reports = self.to_chunks(source) | {"embeddings": self.embed(source)}
        reports["knowledge"] = self.index()
        self.release()
        return reports

    @property
    def embeddings_table(self) -> str:
        return embeddings_name(self.model.embedder_id)

    @property
    def knowledge_table(self) -> str:
        return knowledge_name(self.model.embedder_id)

    def rows(self, table: str, columns: str, source: Source | None = None) -> list[dict[str, Any]]:
        where = f"source_id = {quoted(source.source_id)}" if source else ""
        return list(self.lake.rows(table, columns.split(), where))

    def due(self, source: Source) -> str:
        return get_source(self.database, self.settings, source.source_id).due

    def docs(self, source: Source) -> dict[str, str]:
        """Last part of the URL → doc_id."""
        return {row["url"].rpartition("/")[2]: row["doc_id"] for row in self.rows("documents", "url doc_id", source)}

    def decide(self, state: str, *doc_ids: str) -> int:
        return decide(self.database, self.tenant_id, doc_ids, Verdict(state, "tester"))

    def found(self, question: str, k: int = 10) -> list[str]:
        """Last parts of the URLs that the current release finds, best first."""
        release = current_release(self.database, self.tenant_id)
        table = self.lake.table_at(release.table, release.tag)
        retriever = Retriever(
            table, loaded_embedder(self.model), self.tenant_id, Ranker.from_json(release.models.ranker)
        )
        gone = read_hidden(self.database, self.tenant_id)
        hits = retriever.search(question, k, hidden_docs=gone.doc_ids, hidden_sources=gone.source_ids)
        return [hit.url.rpartition("/")[2] for hit in hits]


def write_files(folder: Path, **files: str) -> Path:
    """`plants_md="…"` becomes plants.md."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    return folder


def article(subject: str, paragraphs: int = 1) -> str:
    """A markdown text that no near-duplicate of another subject's is made of."""
    return f"# {subject}\n\n" + "\n\n".join(_paragraphs(subject, paragraphs))


def _paragraphs(subject: str, count: int) -> Iterator[str]:
    for number in range(count):
        yield (
            f"Section {number} on {subject}: the {subject} handbook, part {number}, names what a keeper of {subject} "
            f"does in week {number + 1}, and why {subject} matters {number} times more than it seems."
        )
