"""A knowledge base on a few files, built by the steps that the pipeline runs."""

from pathlib import Path

from aion_assets.core import sources
from aion_assets.core.code_version import source_version
from aion_assets.core.database import open_database
from aion_assets.core.embedding_model import find_embedding_model
from aion_assets.core.lake import Lake
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings
from aion_assets.core.steps import chunks, curated, documents, embeddings, knowledge, pages, release
from aion_assets.core.steps.report import silent
from trainer.embedder import Embedder

FILES = {
    "ferias.md": """# Política de férias

## Prazo de aviso

O pedido de férias deve ser feito com pelo menos 45 dias de antecedência ao gestor direto. Pedidos fora do prazo
dependem da aprovação da diretoria de pessoas.

## Fracionamento

As férias podem ser divididas em até três períodos, e um deles deve ter no mínimo 14 dias corridos. Os demais períodos
não podem ser menores que cinco dias corridos cada um.
""",
    "reembolso.md": """# Reembolso de despesas

## Limites de alimentação

O limite diário de reembolso de alimentação em viagem é de 120 reais. Bebidas alcoólicas nunca são reembolsadas.

## Prazo de entrega

Os comprovantes devem ser entregues ao setor financeiro até o quinto dia útil do mês seguinte ao da viagem.
""",
    "backup.html": """<!doctype html><html lang="en"><head><title>Backup procedure</title></head><body><main>
<h1>Backup procedure</h1>
<h2 id="schedule">Schedule of the backups</h2>
<p>A full backup of the database runs every Sunday at 02:00, and an incremental backup runs on every other night. The
operator on duty checks the report of the backup before nine in the morning.</p>
<h2 id="restore">Restoring a database</h2>
<p>To restore a database, stop the service, copy the newest full backup to the data folder, and run the restore command.
A restore drill is held every quarter and takes about forty minutes.</p>
</main></body></html>
""",
    "laboratorio.txt": """Regras do laboratório

O uso de óculos de proteção é obrigatório em todas as bancadas do laboratório de química. Reagentes inflamáveis ficam
no armário corta-fogo, longe das janelas. O chuveiro de emergência é testado toda segunda-feira pela manhã.
""",
}
RUN_ID = "3b7f4c1e-0000-4000-8000-00000000cafe"


class KnowledgeBase:
    """A home, a folder source in it, and the pipeline's steps in their order."""

    def __init__(self, folder: Path, *, auto_approve: bool = True, **settings: object) -> None:
        self.settings = Settings(home=folder / "home", database_url="", **settings)
        self.database = open_database(self.settings)
        self.lake = Lake(self.settings.lake_uri)
        self.folder = folder / "files"
        self.folder.mkdir()
        for name, text in FILES.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.source = sources.add_source(
            self.database, self.settings, str(self.folder), name="regras", auto_approve=auto_approve
        )

    def ingest(self, source: Source | None = None) -> str:
        """Collect, parse, curate, chunk, embed, index, publish. Returns the id of the current release."""
        self.collect(source or self.source)
        return self.index(source or self.source)

    def collect(self, source: Source) -> None:
        pages.collect_source(self.lake, self.database, self.settings, source, RUN_ID, silent)
        version = source_version("aion_assets.core.parse")
        documents.parse_source(self.lake, self.settings, source, version, RUN_ID, silent)

    def index(self, source: Source) -> str:
        model = find_embedding_model("")
        curated.curate_source(self.lake, self.database, source, RUN_ID)
        version = source_version("aion_assets.core.chunk")
        chunks.chunk_source(self.lake, source, model, version, RUN_ID, silent)
        embeddings.embed_source(self.lake, source, model.embedder_id, lambda: Embedder(model), silent)
        tenant = self.settings.tenant_id
        knowledge.build_index(self.lake, self.database, tenant, model.embedder_id, model.dimension, silent)
        return release.release_index(self.lake, self.database, self.settings, model, RUN_ID).release_id

    def doc_id(self, name: str) -> str:
        """Of the document made from this file."""
        found = [row["doc_id"] for row in self.lake.rows("documents", ["doc_id", "url"]) if row["url"].endswith(name)]
        assert len(found) == 1, found
        return str(found[0])
