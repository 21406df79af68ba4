"""The fast path, timed on the real server: `python -m bench.fast_path`.

A reader corrects an answer, a curator approves it, and the next like question is asked until it is answered so. Then
the document on which the correction rests changes and is collected anew. Prints seconds from the approval to the
curated answer, and what the answer says once its source has changed.
"""

import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import typer

from bench.installation import aion, running

_QUESTION, _ALIKE = "Qual é o prazo de entrega de um pedido?", "Qual o prazo para a entrega de um pedido?"
_TEXT = "O prazo de entrega de um pedido é de vinte dias úteis, contados da confirmação do pagamento."
_WAIT_S = 60.0


def main(port: Annotated[int, typer.Option(help="Of the server.")] = 8120) -> None:
    with TemporaryDirectory(prefix="aion-fast-path-") as place:
        document = Path(place) / "documents" / "entrega.txt"
        document.parent.mkdir()
        document.write_text(_TEXT, "utf-8")
        os.environ |= {"AION_HOME": f"{place}/home", "AION_PORT": str(port), "AION_DAGSTER_PORT": str(port + 1)}
        aion("source", "add", str(document.parent), "--name", "regras", "--auto-approve")
        aion("run")
        with running("serve", port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            answer_id = _ask(client, _QUESTION)["answer_id"]
            _post(client, f"/api/answers/{answer_id}/feedback", {"correction": "O prazo é de vinte e cinco dias."})
            (waiting,) = client.get("/curation/corrections").json()["items"]
            numbers = {"action": "approve", "sources": [waiting["sources"][0]["number"]]}
            _post(client, f"/curation/corrections/{waiting['correction_id']}", numbers)
            approved = time.monotonic()
            while (given := _ask(client, _ALIKE))["used"] != "curated" and time.monotonic() < approved + _WAIT_S:
                time.sleep(0.2)
            seconds = time.monotonic() - approved
            document.write_text(_TEXT.replace("vinte", "trinta"), "utf-8")
            aion("run")
            later = _ask(client, _ALIKE)
            expired = client.get("/curation/corrections", params={"state": "expired"}).json()["items"]
    told = {
        "answered_as_curated": given["used"] == "curated",
        "seconds": round(seconds, 2),
        "text": given["text"],
        "sources": [item["title"] for item in given["citations"]],
        "after_the_source_changed": {
            "used": later["used"],
            "expired": later["expired_correction"],
            "text": later["text"],
        },
        "listed_as_expired": [item["reason"] for item in expired],
    }
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


def _ask(client: httpx.Client, text: str) -> dict[str, Any]:
    return _post(client, "/api/chat", {"message": text})


def _post(client: httpx.Client, path: str, body: object) -> dict[str, Any]:
    reply = client.post(path, json=body)
    reply.raise_for_status()
    found: dict[str, Any] = reply.json()
    return found


if __name__ == "__main__":
    typer.run(main)
