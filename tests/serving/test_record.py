"""What is kept of an answer, and what the way back says when things are gone."""

import pytest
from serving_base import KnowledgeBase
from sqlalchemy import delete, select

from aion_assets.core import schema, sources
from aion_assets.core.answers import read_answer
from aion_assets.core.cleaning import clean_removed_sources
from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.events import MAX_QUESTION_CHARS
from aion_serving.assistant import Assistant

QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"


def test_an_answer_is_read_back_as_it_was_given(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask(QUESTION)
    stored = read_answer(shared_base.database, "default", record.answer_id)
    assert stored == record
    assert stored.given[0].doc_version
    assert "45 dias" in stored.citations[0].passage


def test_an_answer_of_another_tenant_is_not_there(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask(QUESTION)
    with pytest.raises(AnswerNotFoundError):
        read_answer(shared_base.database, "another", record.answer_id)


def test_every_answer_leaves_a_retrieval_and_an_answer_event(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask("férias " * 500)
    with shared_base.database.read() as connection:
        rows = connection.execute(select(schema.events.c.kind, schema.events.c.body)).all()
    bodies = {kind: body for kind, body in rows if body.get("answer_id") == record.answer_id}
    assert set(bodies) == {"retrieval", "answer"}
    assert len(bodies["retrieval"]["q"]) == MAX_QUESTION_CHARS
    assert [hit["rank"] for hit in bodies["retrieval"]["hits"]] == list(range(1, len(record.given) + 1))
    assert bodies["answer"]["release_id"] == record.release_id
    assert bodies["answer"]["latency_ms"]["total"] == record.latency_ms


def test_why_says_plainly_what_is_gone(base: KnowledgeBase) -> None:
    assistant = Assistant(base.settings)
    record = assistant.ask(QUESTION)
    sources.remove_source(base.database, base.source.source_id)
    clean_removed_sources(base.lake, base.database, base.settings)
    with base.database.write() as connection:
        connection.execute(delete(schema.current_release))
        connection.execute(delete(schema.releases))
    why = assistant.why(record.answer_id)
    passage = why["passages"][0]
    for step in (why["release"], passage["chunk"], passage["document"], passage["decision"], passage["fetch"]):
        assert step["missing"].endswith(".")
    assert passage["source"]["removed_at"]
    assert "45 dias" in passage["passage"]
    assert set(passage["runs"].values()) == {None}


def test_why_shows_that_a_document_was_rejected_since(base: KnowledgeBase) -> None:
    from aion_assets.core import curation

    assistant = Assistant(base.settings)
    record = assistant.ask(QUESTION)
    curation.decide(base.database, "default", [base.doc_id("ferias.md")], "rejected", "cli:ana", reason="antigo")
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
    assert first.passage.startswith("Backup procedure")
    assert first.heading.endswith("Restoring a database")
    assert first.fragment == "restore"


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
    assert first.fragment == "schedule"
