"""New releases and new decisions reach a server that goes on running."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from models import altered_model
from serving_base import KnowledgeBase
from sqlalchemy import select
from workbench import Workbench

from aion_assets.core.curate.decisions import APPROVED, REJECTED, Verdict, decide
from aion_assets.core.database import tables
from aion_assets.core.errors import EmbedderError, LakeError
from aion_assets.core.index.adapted_model import Adaptation
from aion_assets.core.release.releases import Publication, current_release, current_release_id, publish, read_release
from aion_assets.core.release.rollback import models_before, roll_back, roll_back_models
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


_SWAPS = int(os.environ.get("AION_TEST_SWAPS", "10"))


def test_questions_in_flight_while_releases_come_and_go_are_all_answered_by_the_release_they_name(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    """Content and models are published and rolled back; what an answer says and how it was made must fit its stamp."""
    first = current_release(base.database, base.tenant_id)
    (base.folder / "ferias.md").write_text("# Política de férias\n\nO pedido de férias exige 60 dias.\n")
    base.ingest()
    second = current_release(base.database, base.tenant_id)
    days = {first.index["data_version"]: "45 dias", second.index["data_version"]: "60 dias"}
    client, replies, done = serve(base.settings), [], threading.Event()

    def ask_on() -> None:
        while not done.is_set():
            replies.append(client.post("/api/chat", json={"message": QUESTION}))

    with ThreadPoolExecutor(max_workers=4) as askers:
        asking = [askers.submit(ask_on) for _ in range(4)]
        try:
            for number in range(_SWAPS):
                models = replace(second.models, prompt=f"extractive-{number}")
                publish(base.home, (first, second)[number % 2].index, models, Publication("test"))
                time.sleep(0.2)
                if number % 3:
                    roll_back_models(base.home, first.model_release_id, "test")
                else:
                    roll_back(base.home, first.release_id, "test")
                time.sleep(0.2)
        finally:
            done.set()
        for one in asking:
            one.result()
    assert len(replies) > 2 * _SWAPS and {reply.status_code for reply in replies} == {200}
    stamped = set()
    for reply in replies:
        answer = reply.json()
        release = read_release(base.database, answer["release_id"])
        assert days[release.index["data_version"]] in answer["text"]
        assert _prompt_version(base, answer["answer_id"]) == release.models.prompt
        stamped.add(release.release_id)
    assert len(stamped) > 2, "the server took up releases while it answered"


def _prompt_version(base: KnowledgeBase, answer_id: str) -> str:
    asked = select(tables.answers.c.prompt_version).where(tables.answers.c.answer_id == answer_id)
    with base.database.read() as connection:
        return str(connection.execute(asked).scalar_one())


def test_a_roll_back_reaches_a_running_server_within_seconds(
    base: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    client = serve(base.settings)
    before = current_release(base.database, base.tenant_id)
    publish(base.home, before.index, replace(before.models, prompt="extractive-bad"), Publication("test"))
    bad = current_release(base.database, base.tenant_id).release_id
    for served in (bad, before.release_id):
        started = time.monotonic()
        while client.post("/api/chat", json={"message": QUESTION}).json()["release_id"] != served:
            assert time.monotonic() - started < 30
        roll_back_models(base.home, before.model_release_id, "ana")


def test_another_embedding_model_is_built_beside_the_one_that_answers_and_then_takes_over(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    other = base.settings.model_copy(update={"embed_model": str(altered_model(tmp_path / "other"))})
    assistant = Assistant(other)
    before = assistant.ask(QUESTION)
    assert "45 dias" in before.text, "the release names the model it was made with"
    bench = Workbench(other)
    source = base.source
    bench.chunk(source)
    assert assistant.ask(QUESTION).release_id == before.release_id
    bench.embed(source)
    bench.index()
    assert assistant.ask(QUESTION).release_id == before.release_id
    bench.release()
    after = assistant.ask(QUESTION)
    release = read_release(base.database, after.release_id)
    assert "45 dias" in after.text and release.release_id != before.release_id
    assert release.models.passage_embedder == {
        "id": bench.model.embedder_id,
        "name": other.embed_model,
        "dimension": bench.model.dimension,
    }
    roll_back_models(base.home, models_before(base.home), "ana")
    assert assistant.ask(QUESTION).release_id == before.release_id, "its index was kept beside the new one"


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


def _publish_adapted(base: KnowledgeBase, *, damaged: bool) -> str:
    """A release whose questions go through an adapted model that is not there, or not as it was written."""
    current = current_release(base.database, base.tenant_id)
    wanted = Adaptation(current.models.passage_embedder["id"], "0" * 64, 1.0)
    if damaged:
        folder = base.settings.home / "models" / wanted.name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half of it")
        (folder / "adapted.json").write_text('{"files": {"model.safetensors": "another digest"}}', "utf-8")
    encoder = {"id": wanted.base_id, "adapter": wanted.adapter, "mode": "query", "scale": wanted.scale}
    models = replace(current.models, query_encoder=encoder)
    return publish(base.home, current.index, models, Publication("test")).release_id


@pytest.mark.parametrize(("damaged", "says"), [(False, "is not there"), (True, "is not as it was written")])
def test_without_the_adapted_model_of_a_release_the_one_before_answers_and_says_so(
    base: KnowledgeBase, damaged: bool, says: str
) -> None:
    running = Assistant(base.settings)
    before = running.release().release_id
    newest = _publish_adapted(base, damaged=damaged)
    for assistant in (running, Assistant(base.settings)):
        answer = assistant.ask(QUESTION)
        assert answer.release_id == before != newest and answer.citations
        assert newest[:12] in answer.notice and says in answer.notice


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
