"""The fast path: an approved correction answers the next same question, says so, and ends with its source."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving_base import KnowledgeBase, serving
from sqlalchemy import update

from aion_assets.core.database import tables
from aion_assets.core.learn.golden import TRAIN, golden_questions
from aion_assets.core.learn.pairs import CORRECTION, build_pairs
from aion_assets.core.learn.splits import freeze

QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"
REWORDED = "Qual é a antecedência com que o pedido de férias deve ser feito?"
NEAR = "Com quantos dias de antecedência o pedido de reembolso deve ser feito?"
SCHEDULE = "When does a full backup of the database run?"
LIMIT = "Qual é o limite diário de reembolso de alimentação em viagem?"
DRILL = "How often is a restore drill held?"
FOLLOW_UP = "E o das bebidas alcoólicas?"
SAYS = "São 60 dias [7] de antecedência, desde a circular de março."


def ask(client: httpx.Client, question: str, **more: str) -> dict[str, Any]:
    return dict(client.post("/api/chat", json={"message": question, **more}).json())


def correct(client: httpx.Client, answer: dict[str, Any], text: str = SAYS) -> str:
    said = client.post(f"/api/answers/{answer['answer_id']}/feedback", json={"thumb": "down", "correction": text})
    assert said.status_code == 200
    waiting = client.get("/curation/corrections").json()["items"]
    return next(item["correction_id"] for item in waiting if item["answer_id"] == answer["answer_id"])


def decide(client: httpx.Client, correction_id: str, **decision: Any) -> httpx.Response:
    return client.post(f"/curation/corrections/{correction_id}", json={"action": "approve", **decision})


def in_state(client: httpx.Client, state: str) -> list[dict[str, Any]]:
    return list(client.get("/curation/corrections", params={"state": state}).json()["items"])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    """One for all: each test asks something else."""
    base = KnowledgeBase(tmp_path_factory.mktemp("corrected"))
    base.ingest()
    return base


@pytest.fixture(scope="module")
def client(base: KnowledgeBase) -> Iterator[httpx.Client]:
    with serving(base.settings) as client:
        yield client


def test_an_approved_correction_answers_until_its_source_changes(base: KnowledgeBase, client: httpx.Client) -> None:
    before = ask(client, QUESTION)
    key = correct(client, before)
    assert ask(client, QUESTION)["used"] == "extractive", "nobody's word counts before a curator's"
    approved = decide(client, key).json()
    assert (approved["state"], approved["decided_by"]) == ("approved", "api")
    assert [item["doc_id"] for item in approved["rests_on"]] == [item["doc_id"] for item in before["citations"]]
    for question in (QUESTION, REWORDED):
        found = ask(client, question)
        assert (found["used"], found["text"]) == ("curated", SAYS.replace("[7]", "(7)") + " [1]")
        own, *sources = found["citations"]
        assert own["passage"] == SAYS and own["link"] == f"/api/corrections/{key}" and "api" in own["title"]
        assert [item["doc_id"] for item in sources] == [item["doc_id"] for item in before["citations"]]
        assert client.get(own["link"]).json()["text"] == SAYS
    trail = client.get(f"/api/answers/{found['answer_id']}/why").json()["passages"]
    assert trail[0]["correction"]["answer_id"] == before["answer_id"]
    assert ask(client, NEAR)["used"] != "curated"
    golden = {item.text: list(item.relevant) for item in golden_questions(base.home)}
    cited = [item["url"].rpartition("/")[2] for item in before["citations"]]
    assert [address.rpartition("/")[2] for address in golden[QUESTION]] == cited
    assert build_pairs(base.home).left_out["golden_document"] > 0, "what measures is not learned from"

    (base.folder / "ferias.md").write_text("# Férias\n\nO pedido de férias é feito 90 dias antes.\n", "utf-8")
    base.run(base.source)
    after = ask(client, QUESTION)
    assert (after["used"], after["expired_correction"]) == ("extractive", "source_changed")
    assert "90 dias" in after["text"]
    assert {item["question"]: item["reason"] for item in in_state(client, "expired")}[QUESTION] == "source_changed"


def test_what_was_taken_back_or_rejected_answers_no_more(client: httpx.Client) -> None:
    first = ask(client, SCHEDULE)
    key = correct(client, first, "On Mondays.")
    assert decide(client, key, text="Every Monday.", sources=[]).json()["rests_on"] == []
    assert ask(client, SCHEDULE)["text"] == "Every Monday. [1]", "a curator may mend it"
    client.post(f"/api/answers/{first['answer_id']}/feedback", json={"thumb": "up"})
    assert ask(client, SCHEDULE)["used"] == "curated", "a later thumb takes nothing back"
    client.delete(f"/api/answers/{first['answer_id']}/feedback")
    assert ask(client, SCHEDULE)["expired_correction"] == "taken_back"
    second = correct(client, ask(client, SCHEDULE))
    assert decide(client, second).json()["state"] == "approved"
    assert ask(client, SCHEDULE)["used"] == "curated"
    assert decide(client, second, action="reject", reason="errado").json()["reason"] == "errado"
    assert ask(client, SCHEDULE)["used"] == "extractive"


def test_a_follow_up_is_corrected_together_with_what_it_continues(client: httpx.Client) -> None:
    ask(client, LIMIT, conversation_id="one")
    key = correct(client, ask(client, FOLLOW_UP, conversation_id="one"), "Nenhum: nunca são reembolsadas.")
    assert "limite diário" in decide(client, key, sources=[]).json()["question"]
    assert ask(client, FOLLOW_UP)["used"] != "curated", "alone it asks something else"
    ask(client, LIMIT, conversation_id="two")
    assert ask(client, FOLLOW_UP, conversation_id="two")["used"] == "curated"


def test_a_correction_with_documents_is_a_pair_where_nothing_measures_it(
    base: KnowledgeBase, client: httpx.Client
) -> None:
    key = correct(client, ask(client, DRILL), "Every month.")
    refused = decide(client, key, sources=[9])
    assert refused.status_code == 404 and "no source 9" in refused.json()["error"]
    assert decide(client, "nowhere").status_code == 404
    assert decide(client, key).status_code == 200
    for seed in range(200):  # until the one question is drawn for the train split, a chance of one in four
        freeze(base.home, str(seed))
        if DRILL in {item.text for item in golden_questions(base.home, TRAIN)}:
            break
        _thaw(base)
    (pair,) = [item for item in build_pairs(base.home).pairs if item.origin == CORRECTION]
    assert (pair.question, pair.weight) == (DRILL, 3.0)


def _thaw(base: KnowledgeBase) -> None:
    with base.database.write() as connection:
        connection.execute(update(tables.golden_queries).values(split=""))
