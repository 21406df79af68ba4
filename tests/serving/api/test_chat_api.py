"""Questions through a real server over a real knowledge base."""

from collections.abc import Callable
from pathlib import Path

import httpx
from serving_base import KnowledgeBase

from aion_assets.core.settings import Settings


def ask(client: httpx.Client, message: str) -> dict[str, object]:
    response = client.post("/api/chat", json={"message": message})
    assert response.status_code == 200, response.text
    return response.json()


def test_an_answer_cites_document_heading_and_address(client: httpx.Client) -> None:
    answer = ask(client, "Com quantos dias de antecedência o pedido de férias deve ser feito?")
    first = answer["citations"][0]
    assert answer["used"] == "extractive"
    assert answer["C"] >= answer["tau"]
    assert "45 dias" in answer["text"]
    assert "[1]" in answer["text"]
    assert first["number"] == 1
    assert first["title"] == "Política de férias"
    assert first["heading"].startswith("Política de férias")
    assert first["url"].endswith("/ferias.md")
    assert " ".join(first["quote"].split()) in " ".join(first["passage"].split())


def test_the_answer_is_in_the_language_of_the_question(client: httpx.Client) -> None:
    assert ask(client, "When does the full backup of the database run?")["language"] == "en"
    assert ask(client, "Quando os comprovantes devem ser entregues?")["language"] == "pt"


def test_a_question_the_base_cannot_answer_is_an_abstention_with_the_nearest_passages(client: httpx.Client) -> None:
    answer = ask(client, "Qual é a capital da Mongólia?")
    assert answer["used"] == "abstention"
    assert answer["C"] < answer["tau"]
    assert answer["citations"] == []
    assert answer["nearest"]
    offered = [" – ".join(filter(None, (item["title"], item["heading"]))) for item in answer["nearest"]]
    assert answer["text"].split("\n")[1:] == [f"- {place}" for place in offered]
    assert client.get(f"/api/answers/{answer['answer_id']}/why").json()["passages"][0]["cited"] is False


def test_why_leads_from_the_answer_to_the_fetch_and_the_runs(client: httpx.Client, shared_base: KnowledgeBase) -> None:
    answer = ask(client, "When is a restore drill held?")
    why = client.get(f"/api/answers/{answer['answer_id']}/why").json()
    passage = why["passages"][0]
    assert why["answer"]["text"] == answer["text"]
    assert why["release"]["release_id"] == answer["release_id"]
    assert why["release"]["current"] is True
    assert why["release"]["embedder"]["id"] == shared_base.model.embedder_id
    assert passage["chunk"] == {"chunk_id": answer["citations"][0]["chunk_id"], "current": True, "position": 0}
    assert passage["document"]["unchanged"] is True
    assert passage["decision"]["decided_by"] == "policy:auto-approve"
    assert passage["fetch"]["outcome"] == "stored"
    assert passage["fetch"]["of_version_quoted"] is True
    assert len(passage["fetch"]["content_hash"]) == 64
    assert passage["source"]["source_id"] == shared_base.source.source_id
    link = f"http://127.0.0.1:{shared_base.settings.dagster_port}/runs/{shared_base.run_id}"
    assert {run["link"] for run in passage["runs"].values()} == {link}


def test_an_unknown_answer_is_404_with_the_next_step(client: httpx.Client) -> None:
    response = client.get("/api/answers/nothing/why")
    assert response.status_code == 404
    assert set(response.json()) == {"error", "next_step"}
    assert "nothing" in response.json()["error"]


def test_a_search_returns_everything_a_hit_must_carry(client: httpx.Client) -> None:
    found = client.get("/api/search", params={"q": "óculos de proteção", "k": 2}).json()
    assert len(found["hits"]) == 2
    assert found["hits"][0]["url"].endswith("laboratorio.txt")
    assert found["hits"][0]["score"] >= found["hits"][1]["score"]
    assert {"score", "url", "title", "page", "heading", "text", "chunk_id", "doc_id"} <= set(found["hits"][0])


def test_a_body_that_is_not_as_described_is_422_and_is_not_echoed(client: httpx.Client) -> None:
    for body in ({}, {"message": ""}, {"message": "  \n"}, {"message": "geheim" * 2_000}, {"message": 5}):
        response = client.post("/api/chat", json=body)
        assert response.status_code == 422
        assert "message" in response.json()["error"]
        assert "geheim" not in response.text
    blank = client.post("/api/chat", json={"message": " "}).json()["error"]
    assert blank == "The request is not as it should be: body.message: it is blank."
    broken = client.post("/api/chat", content="{", headers={"content-type": "application/json"})
    assert broken.status_code == 422
    assert broken.json()["error"] == "The request is not as it should be: the body is not JSON."


def test_a_question_may_hold_any_characters(client: httpx.Client) -> None:
    for message in ("'; DROP TABLE answers; --", '" OR * ~ ( ) : \\ ^', "\u0001\ud7ff🤷", "férias " * 1_000):
        ask(client, message)


def test_before_the_first_release_the_server_lives_but_is_not_ready(
    tmp_path: Path, serve: Callable[[Settings], httpx.Client]
) -> None:
    client = serve(Settings(home=tmp_path / "empty", database_url=""))
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/").status_code == 200
    for response in (client.get("/ready"), client.post("/api/chat", json={"message": "Olá?"})):
        assert response.status_code == 503
        assert "aion run" in response.json()["next_step"]


def test_a_ready_server_names_its_release(client: httpx.Client) -> None:
    ready = client.get("/ready").json()
    assert ready["status"] == "ready"
    assert len(ready["release_id"]) == 64


def test_every_call_is_described(client: httpx.Client) -> None:
    description = client.get("/openapi.json").json()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["tags"], where
            assert operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("Problem")
    assert "/api/chat" in client.get("/docs").text
