"""Make the small home that tests open with later code: `python tests/homes/make_home.py NAME --code CHECKOUT`.

Drives the command `aion` of that checkout, so that whatever version it is writes its own forms, and packs the home with
the documents it was made of into NAME.tar.gz. Documents are at one fixed place, as their addresses are stored.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PLACE = Path(tempfile.gettempdir()) / "aion-homes"
GOLDEN = "golden_queries.jsonl"
# Source → file → text. What happens to each is said below.
DOCUMENTS = {
    "regras": {
        "ferias.md": "# Férias\n\nO pedido de férias deve ser feito com 45 dias de antecedência.\n",
        "compras.md": "# Compras\n\nCompras acima de R$ 5.000,00 precisam de três orçamentos.\n",
        "velho.md": "# Estacionamento\n\nAs vagas de estacionamento são sorteadas em janeiro.\n",
    },
    "manuais": {
        "backup.md": "# Backup\n\nA restore drill is held every quarter by the infrastructure team.\n",
        "radio.md": "# Radio\n\nThe radio room uses channel nine for emergencies.\n",
        "piscina.md": "# Piscina\n\nA piscina fecha às vinte e duas horas.\n",
    },
    "removida": {"segredo.md": "# Cofre\n\nO cofre da diretoria abre com a chave azul.\n"},
}
QUESTIONS = (
    "Com quantos dias de antecedência o pedido de férias deve ser feito?",
    "How often is a restore drill held?",
    "Qual é a capital da Mongólia?",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="version that writes the home, which names the archive")
    parser.add_argument("--code", type=Path, required=True, help="checkout whose `aion` is run")
    arguments = parser.parse_args()
    place = PLACE / arguments.name
    shutil.rmtree(place, ignore_errors=True)
    documents, home = place / "documents", place / "home"
    for source, files in DOCUMENTS.items():
        (documents / source).mkdir(parents=True)
        for name, text in files.items():
            (documents / source / name).write_text(text, "utf-8")
    answers = _fill(_Aion(arguments.code, home), documents, home)
    (place / "answers.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False), "utf-8")
    for needless in ("dagster", "logs"):
        shutil.rmtree(home / needless, ignore_errors=True)
    target = Path(__file__).parent / f"{arguments.name}.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        archive.add(place, arguments.name)
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


class _Aion:
    def __init__(self, code: Path, home: Path) -> None:
        self._code = code
        self._environment = os.environ | {"AION_HOME": str(home), "PYTHONPATH": str(code), "AION_DATABASE_URL": ""}

    def __call__(self, *words: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "aion_assets", *words, "--json"]
        done = subprocess.run(command, cwd=self._code, env=self._environment, stdout=subprocess.PIPE, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def _fill(aion: _Aion, documents: Path, home: Path) -> list[dict[str, Any]]:
    """One document is gone, one approved by a person, one rejected, one waits; one source is removed."""
    aion("source", "add", str(documents / "regras"), "--name", "regras", "--auto-approve", "--schedule", "never")
    aion("source", "add", str(documents / "manuais"), "--name", "manuais", "--schedule", "never")
    aion("source", "add", str(documents / "removida"), "--name", "removida", "--auto-approve", "--schedule", "never")
    aion("run")
    waiting = {item["title"]: item["doc_id"] for item in aion("curate", "list")["items"]}
    aion("curate", "approve", waiting["Backup"])
    aion("curate", "reject", waiting["Radio"], "--reason", "antigo")
    aion("run")
    (documents / "regras" / "velho.md").unlink()
    aion("run", "--source", "regras")
    aion("source", "remove", "removida", "--yes")
    aion("run")
    labelled = {"text": QUESTIONS[0], "urls": [f"file://{documents}/regras/ferias.md"]}
    (home / GOLDEN).write_text(json.dumps(labelled, ensure_ascii=False) + "\n", "utf-8")
    return [aion("ask", question) for question in QUESTIONS]


if __name__ == "__main__":
    main()
