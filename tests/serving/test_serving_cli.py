"""The server's verbs, as a person or a script calls them."""

import json
import subprocess
import sys

import pytest
import typer
from serving_base import KnowledgeBase
from typer.testing import CliRunner

from aion_assets.core.errors import AnswerNotFoundError
from aion_serving.cli import register


@pytest.fixture
def run(shared_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AION_HOME", str(shared_base.settings.home))
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    register(app)
    return lambda *arguments: CliRunner().invoke(app, arguments, catch_exceptions=False)


def last_line(output: str) -> dict[str, object]:
    return json.loads(output.splitlines()[-1])


def test_ask_prints_the_answer_with_numbered_sources(run) -> None:
    result = run("ask", "Com quantos dias de antecedência o pedido de férias deve ser feito?")
    assert result.exit_code == 0
    assert "45 dias" in result.output
    assert "[1] Política de férias" in result.output
    assert "ferias.md" in result.output
    assert "aion why " in result.output


def test_ask_as_json_is_one_object_that_why_explains(run) -> None:
    answer = last_line(run("ask", "When does the full backup run?", "--json").output)
    assert {"answer_id", "text", "used", "C", "citations"} <= set(answer)
    why = last_line(run("why", answer["answer_id"], "--json").output)
    assert why["answer"]["text"] == answer["text"]
    trail = run("why", answer["answer_id"]).output
    for expected in ("release ", "passage ", "document ", "approved by policy:auto-approve", "fetched ", "/runs/run-1"):
        assert expected in trail


def test_search_as_json_carries_what_a_hit_must(run) -> None:
    found = last_line(run("search", "óculos de proteção", "-k", "1", "--json").output)
    (hit,) = found["hits"]
    assert {"score", "url", "title", "page", "heading", "text", "chunk_id", "doc_id"} <= set(hit)
    assert "laboratorio" in run("search", "óculos de proteção").output


def test_an_unknown_answer_is_an_error_for_a_person(run) -> None:
    with pytest.raises(AnswerNotFoundError, match="aion ask"):
        run("why", "nothing")


def test_the_verbs_load_neither_model_nor_server_before_they_are_used() -> None:
    code = (
        "import sys, typer; from aion_serving.cli import register; register(typer.Typer());"
        "print({'torch', 'openvino', 'lancedb', 'fastapi', 'uvicorn', 'sqlalchemy', 'numpy'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"
