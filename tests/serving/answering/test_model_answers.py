"""A model answers where the confidence suffices, shows only what passages support, and its failure is nobody's."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from deadlines import duration_s, is_in_time
from serving_base import KnowledgeBase
from stub_model import BREAKS_OFF, GARBAGE, HANGS, REFUSES, TOO_LONG, StubModel, stub_model

from aion_assets.core.record.answers import AnswerRecord, State, read_answer
from aion_serving.answering.assistant import Assistant

QUESTION = "When does the full backup of the database run?"
TRUE = "A full backup of the database runs every Sunday at 02:00 [1]."


@contextmanager
def asking(base: KnowledgeBase, **options: Any) -> Iterator[tuple[Assistant, StubModel]]:
    changed = {name: options.pop(name) for name in ("unsupported", "answer_timeout_s") if name in options}
    with stub_model(**options) as stub:
        yield Assistant(base.settings.model_copy(update={"local_llm_url": stub.url, **changed})), stub


def ask(base: KnowledgeBase, says: str, question: str = QUESTION, **options: Any) -> AnswerRecord:
    with asking(base, says=says, **options) as (assistant, _):
        return assistant.ask(question)


def test_what_the_model_writes_is_shown_with_the_passage_that_supports_it(shared_base: KnowledgeBase) -> None:
    record = ask(shared_base, f"{TRUE} The operator on duty checks the report of the backup before nine.")
    assert (record.used, record.provider, record.model) == ("generative", "local", "stub")
    assert record.prompt_version == "rag-1"
    assert (record.prompt_tokens, record.completion_tokens) == (7, 24)
    assert record.text.count("[1]") == 2, "the second sentence has a source though the model named none"
    assert [item.number for item in record.citations] == [1]
    assert "Sunday at 02:00" in record.citations[0].quote
    assert record.citations[0].passage.place.fragment == "schedule"
    assert read_answer(shared_base.database, "default", record.answer_id) == record


def test_a_forged_citation_is_never_shown(shared_base: KnowledgeBase) -> None:
    record = ask(shared_base, "A full backup of the database runs every Sunday at 02:00 [9]. See [7] and [12, 13].")
    assert record.text == "A full backup of the database runs every Sunday at 02:00. [1]"


def test_a_sentence_is_shown_once_however_often_the_model_writes_it(shared_base: KnowledgeBase) -> None:
    again = "A FULL backup of the database  runs every Sunday at 02:00 [1]."
    record = ask(shared_base, f"{TRUE}\n{again}\n{TRUE}")
    assert record.text == "A full backup of the database runs every Sunday at 02:00. [1]"


def test_a_model_that_goes_round_in_circles_is_ended(shared_base: KnowledgeBase) -> None:
    with asking(shared_base, says="\n".join([TRUE] * 400), pause_s=0.01) as (assistant, stub):
        record = assistant.ask(QUESTION)
        assert stub.hung_up.wait(5), "400 sentences take 44 seconds, and it goes on writing"
    assert record.text == "A full backup of the database runs every Sunday at 02:00. [1]"


def test_an_invented_sentence_number_or_link_is_not_shown(shared_base: KnowledgeBase) -> None:
    lies = (
        "Backups are encrypted with military grade keys [1].",
        "A full backup of the database runs every Sunday at 03:00 [1].",
        "A full backup of the database runs every Sunday, see https://evil.example/x [1].",
        "A full backup of the database runs every Sunday ![x](http://evil.example/p.png) [1].",
        "A full backup of the database never runs [1].",
    )
    for lie in lies:
        assert ask(shared_base, f"{TRUE} {lie}").text == "A full backup of the database runs every Sunday at 02:00. [1]"


def test_an_unsupported_sentence_is_marked_where_the_operator_says_so(shared_base: KnowledgeBase) -> None:
    said = f"Backups are important for the whole company. {TRUE} It took them 77 years."
    record = ask(shared_base, said, unsupported="mark")
    assert record.text == (
        "Backups are important for the whole company. (no source) "
        "A full backup of the database runs every Sunday at 02:00. [1]"
    )


def test_thoughts_of_a_model_are_not_shown(shared_base: KnowledgeBase) -> None:
    record = ask(
        shared_base, f"<think>A full backup of the database runs every Sunday at 02:00, I guess.</think> {TRUE}"
    )
    assert record.text == "A full backup of the database runs every Sunday at 02:00. [1]"


def test_below_the_threshold_the_model_is_not_asked(shared_base: KnowledgeBase) -> None:
    with asking(shared_base, says=TRUE) as (assistant, stub):
        assert assistant.ask("Qual é a capital da Mongólia?").state is State.ABSTAINED
        assert stub.asked == []


def test_the_prompt_holds_rules_passages_and_question(shared_base: KnowledgeBase) -> None:
    with asking(shared_base, says=TRUE) as (assistant, stub):
        assistant.ask(QUESTION)
    system, user = stub.asked[0]["messages"]
    assert "Use only the numbered passages" in system["content"]
    assert user["content"].startswith("Passages:\n\n[1] Backup procedure")
    assert user["content"].endswith(f"Question: {QUESTION}")


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [(HANGS, "took too long"), (GARBAGE, "no event stream"), (REFUSES, "status 500"), (BREAKS_OFF, "broke off")],
)
def test_when_the_model_fails_quotes_answer_and_the_reason_is_recorded(
    shared_base: KnowledgeBase, behaviour: str, says: str
) -> None:
    with asking(shared_base, says=TRUE, behaviour=behaviour, answer_timeout_s=1.0) as (assistant, stub):
        assistant.ask("Onde ficam os reagentes inflamáveis?")  # loads what the first question loads
        record = assistant.ask(QUESTION)
        if behaviour == HANGS:
            asking_again = partial(duration_s, lambda: assistant.ask(QUESTION))
            assert is_in_time(1.0 + 1.0, asking_again), "the deadline counts for the whole answer"
        stub.hung_up.set()
    assert record.used == "extractive"
    assert "Sunday" in record.text
    assert says in record.reason


def test_a_model_that_is_not_there_costs_nothing_but_the_reason(shared_base: KnowledgeBase) -> None:
    with stub_model() as stub:
        url = stub.url
    record = Assistant(shared_base.settings.model_copy(update={"local_llm_url": url})).ask(QUESTION)
    assert record.used == "extractive"
    assert "not reachable" in record.reason


def test_a_model_that_breaks_off_after_a_good_sentence_leaves_that_sentence(shared_base: KnowledgeBase) -> None:
    said = f"{TRUE} The operator on duty checks the report. and then it went on and on and on and on about nothing."
    record = ask(shared_base, said, behaviour=BREAKS_OFF)
    assert record.text.startswith("A full backup of the database runs every Sunday at 02:00. [1]")
    assert "broke off" in record.reason


def test_a_model_that_invents_everything_is_replaced_by_quotes(shared_base: KnowledgeBase) -> None:
    record = ask(shared_base, "Nobody knows anything about that. Try to ask your neighbour instead.")
    assert record.used == "extractive"
    assert "Nothing that the model wrote" in record.reason


def test_a_prompt_too_long_for_the_model_loses_passages_and_never_the_question(shared_base: KnowledgeBase) -> None:
    with asking(shared_base, says=TRUE, behaviour=TOO_LONG) as (assistant, stub):
        record = assistant.ask(QUESTION)
    assert record.used == "generative"
    asked = [body["messages"][-1]["content"] for body in stub.asked]
    assert len(asked) > 1
    assert all(content.endswith(f"Question: {QUESTION}") for content in asked)
    assert "[1] Backup procedure" in asked[-1]


def test_without_a_model_everything_is_quoted_and_no_reason_is_given(shared_base: KnowledgeBase) -> None:
    record = Assistant(shared_base.settings).ask(QUESTION)
    assert (record.used, record.provider, record.model, record.reason) == ("extractive", "", "", "")
