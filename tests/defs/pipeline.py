"""The real pipeline on a real Dagster instance, over a handful of files."""

from pathlib import Path
from typing import Any

import dagster as dg

from aion_assets.core.database.engine import Database, open_database
from aion_assets.core.index.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import embeddings_table, knowledge_name
from aion_assets.core.release import releases
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import add_source
from aion_assets.definitions import defs
from aion_assets.defs.automation import CARRIES_ON
from aion_assets.defs.ops.jobs import planned_assets

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FILES = {
    "plantas.md": "# Plantas de jardim\n\nA lavanda gosta de sol.\n\n## Poda\n\nA poda da lavanda é em agosto.\n",
    "bicicletas.md": "# Bicicletas\n\nA corrente da bicicleta pede óleo a cada duzentos quilômetros.\n",
    "tea.html": "<html lang='en'><head><title>Tea</title></head><body><main><h1>Tea</h1>"
    "<p>Green tea is steeped at eighty degrees for two minutes.</p></main></body></html>",
    "precos.csv": "produto,preço\nsemente de lavanda,12\nóleo de corrente,30\n",
}  # fmt: skip


class Pipeline:
    """One home: its folder source, its stores, and runs of its jobs in this process."""

    def __init__(self, instance: dg.DagsterInstance, settings: Settings, folder: Path) -> None:
        self.instance = instance
        self.settings = settings
        self.folder = folder
        self.database: Database = open_database(settings)
        self.lake = Lake(settings.lake_uri)
        self.source_id = ""

    @property
    def model(self) -> EmbeddingModel:
        return find_embedding_model(self.settings.embed_model, self.settings.home)

    def add_source(self, folder: Path, **options: Any) -> str:
        source = add_source(self.database, self.settings, str(folder), **{"auto_approve": True, **options})
        self.instance.add_dynamic_partitions("sources", [source.source_id])
        return source.source_id

    def run(
        self, job: str = "ingest", *, source_id: str = "", only: str = "", may_fail: bool = False, **tags: str
    ) -> dg.ExecuteInProcessResult:
        """A run as the sensors start it; of one asset of the job when `only` names it."""
        definition = defs.resolve_job_def(job)
        return definition.execute_in_process(
            instance=self.instance,
            partition_key=None if job == "reindex" else source_id or self.source_id,
            asset_selection=[key for key in planned_assets(definition) if only in ("", key.path[-1])],
            raise_on_error=not may_fail,
            run_config=QUIET,
            tags=tags if only or job.endswith("_corpus") else tags | CARRIES_ON,
        )

    @property
    def release_id(self) -> str | None:
        return releases.current_release_id(self.database, self.settings.tenant_id)

    def found(self, question: str) -> list[str]:
        """File names of the hits that the current release gives."""
        from aion_assets.core.search.ranker import Ranker
        from aion_assets.core.search.retriever import Retriever
        from aion_assets.core.sources.tombstones import read_hidden
        from trainer.embedder import Embedder

        release = releases.current_release(self.database, self.settings.tenant_id)
        table = self.lake.table_at(release.table, release.tag)
        retriever = Retriever(
            table, Embedder(self.model), self.settings.tenant_id, Ranker.from_json(release.models.ranker)
        )
        gone = read_hidden(self.database, self.settings.tenant_id)
        hits = retriever.search(question, 10, hidden_docs=gone.doc_ids, hidden_sources=gone.source_ids)
        return [hit.url.rpartition("/")[2] for hit in hits]

    def lengthen_a_vector(self) -> None:
        """Break what the embeddings claim of themselves."""
        target = embeddings_table(self.model.embedder_id, self.model.dimension)
        row = next(self.lake.rows(target.name, ["embedding_key", "text_hash", "embedder_id", "vector"]))
        self.lake.upsert(target, [row | {"vector": [2 * x for x in row["vector"]]}])

    def drop_index_row(self) -> None:
        table = knowledge_name(self.model.embedder_id)
        self.lake.delete(table, "chunk_id", [next(self.lake.rows(table, ["chunk_id"]))["chunk_id"]])


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """Of the asset's one materialization in this run; fails where there is none."""
    found = [
        event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path[-1] == asset
    ]
    assert len(found) == 1, f"{asset} was materialized {len(found)} times"
    return {name: value.value for name, value in found[0].items()}


def materialized(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Asset → data version that this run gave it."""
    return {
        event.asset_key.path[-1]: event.materialization.tags["dagster/data_version"]
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None and event.materialization.tags
    }


def write_files(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    return folder
