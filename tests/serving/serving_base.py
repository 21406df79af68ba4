"""A knowledge base on a few files, built by the steps that the pipeline runs."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from workbench import Workbench

from aion_assets.core.records import Source
from aion_assets.core.settings import Settings

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


@contextmanager
def serving(settings: Settings) -> Iterator[httpx.Client]:
    """A real server on a free port of loopback, and a client that talks to it as a browser would."""
    import uvicorn

    from aion_assets.core.door.server import bounded
    from aion_serving.app import create_app

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = bounded(create_app(settings), host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)


class KnowledgeBase(Workbench):
    """A folder source of the files above, in a home of its own."""

    def __init__(self, folder: Path, *, auto_approve: bool = True, **settings: object) -> None:
        super().__init__(Settings(home=folder / "home", database_url="", **settings))
        self.folder = folder / "files"
        self.folder.mkdir()
        for name, text in FILES.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.source = self.add(self.folder, name="regras", auto_approve=auto_approve)

    def ingest(self, source: Source | None = None) -> str:
        """Every step from the files to a release, whose id is returned."""
        self.run(source or self.source)
        return self.release().release_id

    def decide_and_release(self, source: Source | None = None) -> None:
        """What a run after decisions does: everything but collecting and parsing."""
        chosen = source or self.source
        self.curate(chosen)
        self.chunk(chosen)
        self.embed(chosen)
        self.index()
        self.release()

    def doc_id(self, name: str) -> str:
        """Of the document made from this file."""
        return str(self.docs(self.source)[name])
