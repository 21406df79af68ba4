"""New releases and new decisions reach a server that goes on running."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from serving_base import KnowledgeBase

from aion_assets.core.curate.decisions import APPROVED, REJECTED, Verdict, decide
from aion_assets.core.errors import EmbedderError, LakeError
from aion_assets.core.release.releases import Publication, current_release, current_release_id, publish
from aion_assets.core.settings import Settings
from aion_serving.answering.assistant import Assistant
from aion_serving.app import keep_ready

QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"


def test_a_new_release_answers_without_a_restart(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    client = serve(base.settings)
    before = client.post("/api/chat", json={"message": QUESTION}).json()
    edited = (base.folder / "ferias.md").read_text().replace("45 dias", "60 dias")
    (base.folder / "ferias.md").write_text(edited)
    release_id = base.ingest()
    after = client.post("/api/chat", json={"message": QUESTION}).json()
    assert "45 dias" in before["text"]
    assert "60 dias" in after["text"]
    assert after["release_id"] == release_id != before["release_id"]
    old = client.get(f"/api/answers/{before['answer_id']}/why").json()
    assert old["release"]["current"] is False
    assert old["passages"][0]["document"]["unchanged"] is False
    assert old["passages"][0]["fetch"]["of_version_quoted"] is False
    assert "45 dias" in old["passages"][0]["passage"]


def test_a_new_release_is_opened_before_anybody_asks(base: KnowledgeBase) -> None:
    assistant, stopped = Assistant(base.settings), threading.Event()
    watching = threading.Thread(target=keep_ready, args=(assistant, stopped))
    watching.start()

    def wait_for(release_id: str) -> None:
        deadline = time.monotonic() + 60
        while assistant.opened_release_id != release_id and time.monotonic() < deadline:
            time.sleep(0.05)
        assert assistant.opened_release_id == release_id

    wait_for(current_release_id(base.database, base.tenant_id) or "")
    (base.folder / "nova.md").write_text("# Nova\n\nO refeitório abre às onze horas da manhã.\n")
    wait_for(base.ingest())
    stopped.set()
    watching.join()


def test_questions_asked_during_swaps_are_all_answered_by_one_whole_release(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    known = {current_release_id(base.database, base.settings.tenant_id)}
    answers, failures = [], []
    done = threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            try:
                answers.append(assistant.ask(QUESTION))
            except Exception as error:
                failures.append(error)

    askers = [threading.Thread(target=ask_on) for _ in range(2)]
    for asker in askers:
        asker.start()
    for days in (50, 55):
        (base.folder / "ferias.md").write_text(f"# Política de férias\n\nO pedido de férias exige {days} dias.\n")
        known.add(base.ingest())
    done.set()
    for asker in askers:
        asker.join()
    assert not failures
    assert {answer.release_id for answer in answers} <= known
    assert "55 dias" in assistant.ask(QUESTION).text


def test_a_rejected_document_is_gone_from_the_next_answer_on(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    client = serve(base.settings)
    doc_id = base.doc_id("ferias.md")
    assert client.get("/api/search", params={"q": QUESTION}).json()["hits"][0]["doc_id"] == doc_id
    decided = client.post("/curation/action", json={"doc_ids": [doc_id], "action": "reject", "reason": "antigo"})
    assert decided.json() == {"state": "rejected", "changed": 1}
    hits = client.get("/api/search", params={"q": QUESTION, "k": 50}).json()["hits"]
    assert hits
    assert doc_id not in {hit["doc_id"] for hit in hits}
    assert doc_id not in {
        item["doc_id"] for item in client.post("/api/chat", json={"message": QUESTION}).json()["nearest"]
    }


def test_a_decision_of_another_process_holds_at_once(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    doc_id = base.doc_id("ferias.md")
    tenant = base.settings.tenant_id
    assert doc_id in {hit.doc_id for hit in assistant.search(QUESTION, 50)}
    decide(base.database, tenant, [doc_id], Verdict(REJECTED, "cli:test"))
    assert doc_id not in {hit.doc_id for hit in assistant.search(QUESTION, 50)}
    decide(base.database, tenant, [doc_id], Verdict(APPROVED, "cli:test"))
    assert doc_id in {hit.doc_id for hit in assistant.search(QUESTION, 50)}


def _publish_with_other_embedder(base: KnowledgeBase) -> None:
    current = current_release(base.database, base.tenant_id)
    unknown = {"id": "another@000000000000", "name": "/nowhere", "dimension": 384}
    publish(base.home, current.index, replace(current.models, passage_embedder=unknown), Publication("test"))


def test_a_release_that_cannot_be_opened_leaves_the_one_before_serving(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    before = assistant.release().release_id
    _publish_with_other_embedder(base)
    assert assistant.ask(QUESTION).release_id == before
    assert assistant.ask(QUESTION).release_id == before


def test_a_release_whose_embedder_is_nowhere_is_refused_with_both_names(base: KnowledgeBase) -> None:
    _publish_with_other_embedder(base)
    with pytest.raises(EmbedderError, match=r"another@000000000000.*all-MiniLM"):
        Assistant(base.settings).ask(QUESTION)


def test_a_broken_table_is_said_in_one_sentence(base: KnowledgeBase) -> None:
    table = base.lake.folder / f"{current_release(base.database, 'default').table}.lance"
    for file in table.glob("data/*"):
        file.write_bytes(b"rubbish")
    with pytest.raises(LakeError, match="cannot be used"):
        Assistant(base.settings).ask(QUESTION)


def test_an_emptied_knowledge_base_abstains(base: KnowledgeBase) -> None:
    for file in base.folder.iterdir():
        decide(base.database, "default", [base.doc_id(file.name)], Verdict(REJECTED, "cli:test"))
    assistant = Assistant(base.settings)
    assert assistant.ask(QUESTION).used == "abstention"
    base.decide_and_release()
    empty = assistant.ask(QUESTION)
    assert empty.used == "abstention"
    assert empty.given == []
