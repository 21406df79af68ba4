"""What is kept of an answer, and what the way back says when things are gone."""

import pytest
from serving_base import KnowledgeBase
from sqlalchemy import delete, insert, select, update

from aion_assets.core.curate.decisions import Verdict
from aion_assets.core.database import tables
from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.record.answers import read_answer
from aion_assets.core.sources.store import remove_source
from aion_assets.core.steps.cleaning import clean_removed_sources
from aion_serving.answering.assistant import Assistant

QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"


def test_an_answer_is_read_back_as_it_was_given(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask(QUESTION)
    stored = read_answer(shared_base.database, "default", record.answer_id)
    assert stored == record
    assert stored.given[0].doc_version
    assert "45 dias" in stored.citations[0].passage.text


def test_an_answer_of_another_tenant_is_not_there(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask(QUESTION)
    with pytest.raises(AnswerNotFoundError):
        read_answer(shared_base.database, "another", record.answer_id)


def test_every_answer_leaves_a_retrieval_and_an_answer_event(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask("férias " * 500)
    with shared_base.database.read() as connection:
        of_answer = tables.events.c.answer_id == record.answer_id
        bodies = dict(connection.execute(select(tables.events.c.kind, tables.events.c.body).where(of_answer)).all())
    assert set(bodies) == {"retrieval", "answer"}
    assert "férias" not in str(bodies), "texts stand in the answer alone"
    assert [hit["rank"] for hit in bodies["retrieval"]["hits"]] == list(range(1, len(record.given) + 1))
    assert bodies["answer"]["release_id"] == record.release_id
    assert bodies["answer"]["latency_ms"]["total"] == record.latency_ms["total"]


def test_why_says_plainly_what_is_gone(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    record = assistant.ask(QUESTION)
    remove_source(base.database, base.source.source_id)
    clean_removed_sources(base.home)
    with base.database.write() as connection:
        connection.execute(delete(tables.current_release))
        connection.execute(delete(tables.releases))
    why = assistant.why(record.answer_id)
    passage = why["passages"][0]
    for step in (why["release"], passage["chunk"], passage["document"], passage["decision"], passage["fetch"]):
        assert step["missing"].endswith(".")
    assert passage["source"]["removed_at"]
    assert "45 dias" in passage["passage"]
    assert set(passage["runs"].values()) == {None}


def test_why_shows_that_a_document_was_rejected_since(base: KnowledgeBase) -> None:
    from aion_assets.core.curate.decisions import decide

    assistant = Assistant(base.settings)
    record = assistant.ask(QUESTION)
    decide(base.database, "default", [base.doc_id("ferias.md")], Verdict("rejected", "cli:ana", "antigo"))
    decision = assistant.why(record.answer_id)["passages"][0]["decision"]
    assert decision["state"] == "rejected"
    assert decision["decided_by"] == "cli:ana"
    assert decision["hidden"] == "rejected"


def test_a_citation_leads_to_the_heading_of_its_quote_and_not_to_where_the_passage_begins(
    shared_base: KnowledgeBase,
) -> None:
    record = Assistant(shared_base.settings).ask("How often is a restore drill held?")
    first = record.citations[0]
    assert "every quarter" in first.quote
    assert first.passage.text.startswith("Backup procedure")
    assert first.passage.place.heading.endswith("Restoring a database")
    assert first.passage.place.fragment == "restore"


def test_a_hit_names_the_heading_of_what_speaks_of_the_question_in_it(shared_base: KnowledgeBase) -> None:
    first = Assistant(shared_base.settings).search("How often is a restore drill held?", 3)[0]
    assert first.text.startswith("Backup procedure")
    assert first.heading.endswith("Restoring a database")
    assert first.fragment == "restore"


def test_the_place_of_a_quote_in_a_document_that_changed_is_where_its_passage_begins(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    page = base.folder / "backup.html"
    page.write_text(page.read_text().replace("<h1>", "<h1>New "))
    base.collect(base.source)
    base.parse(base.source)
    first = assistant.ask("How often is a restore drill held?").citations[0]
    assert first.passage.place.fragment == "schedule"


def test_why_shows_where_a_document_moved_and_where_it_came_from(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    record = assistant.ask(QUESTION)
    old = record.citations[0].passage
    with base.database.write() as connection:
        of_old = tables.curation.c.doc_id == old.doc_id
        row = dict(connection.execute(select(tables.curation).where(of_old)).mappings().one())
        moved = row | {"doc_id": "f" * 32, "moved_from": old.doc_id, "title": "Novo nome", "url": "file:///novo.md"}
        connection.execute(insert(tables.curation).values(**moved))
    assert assistant.why(record.answer_id)["passages"][0]["decision"]["moved_to"] == {
        "doc_id": "f" * 32,
        "title": "Novo nome",
        "url": "file:///novo.md",
    }
    with base.database.write() as connection:
        connection.execute(update(tables.curation).where(of_old).values(moved_from="f" * 32))
    decision = assistant.why(record.answer_id)["passages"][0]["decision"]
    assert decision["moved_from"]["title"] == "Novo nome"
