"""A generator that was trained is released with its gate checked once more, or blocked with the reason."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from learning_base import GOLDEN, LearningBase
from test_generator_gate import written

from aion_assets.core.learn.generator_gate import Written
from aion_assets.core.learn.golden import golden_digest, measured_questions
from aion_assets.core.learn.hostile_rows import with_orders
from aion_assets.core.learn.probes import fixed_probes, planted
from aion_assets.core.learn.reports import GENERATED, store_report
from aion_assets.core.learn.sft_rows import _marked, build_sft_rows
from aion_assets.core.learn.trainings import (
    BLOCKED,
    GENERATOR,
    NO_GAIN,
    RELEASED,
    RUNNING,
    Training,
    last_trainings,
    request_training,
)
from aion_assets.core.learn.unanswerable import without_answer
from aion_assets.core.release.models import builtin_models, inherited_models, released_adapters
from aion_assets.core.release.releases import current_release
from aion_assets.core.steps.training import finish_training, task_of

ADAPTER = "a" * 64


def trained(base: LearningBase) -> Training:
    """A training under way whose candidate has an adapter."""
    asked = request_training(base.home, "generator_adapter", "tester", "Started by hand.", RUNNING)
    assert asked.learner == GENERATOR
    task = task_of(base.home, asked, {}, GENERATOR)
    learned = {"base_model": "llama@0", "generator_adapter": ADAPTER}
    assert finish_training(base.home, task, {"models": learned, "figures": {"rows": 30}}, "run-1")
    return last_trainings(base.home)[0]


def report(base: LearningBase, training: Training, after: Written, **changed: Any) -> None:
    body: Mapping[str, Any] = {
        "incumbent": current_release(base.database, base.tenant_id).model_release_id,
        "golden": golden_digest(measured_questions(base.home)),
        "before": {name: said.to_json() for name, said in written().cases.items()},
        "after": {name: said.to_json() for name, said in after.cases.items()},
        **changed,
    }
    store_report(base.home, GENERATED, training.candidate, body)


def test_a_generator_that_passed_is_released_and_later_content_keeps_it(base: LearningBase) -> None:
    training = trained(base)
    base.release()
    assert current_release(base.database, base.tenant_id).models.generator_adapter == "", "nothing was measured"
    assert released_adapters(base.home) == set(), "a candidate is no release"
    report(base, training, written(form=0.95))
    base.release()
    released = current_release(base.database, base.tenant_id)
    assert (released.models.base_model, released.models.generator_adapter) == ("llama@0", ADAPTER)
    assert last_trainings(base.home)[0].outcome == RELEASED
    assert released_adapters(base.home) == {ADAPTER}
    assert inherited_models(base.home, base.model) == released.models
    other = replace(base.model, embedder_id="another")
    assert inherited_models(base.home, other) == replace(
        builtin_models(other), base_model="llama@0", generator_adapter=ADAPTER
    )
    again = request_training(base.home, GENERATOR, "tester", "Once more.", RUNNING)
    same = {"models": {"base_model": "llama@0", "generator_adapter": ADAPTER}, "figures": {}}
    assert finish_training(base.home, task_of(base.home, again, {}, GENERATOR), same, "run-2") == ""
    assert last_trainings(base.home)[0].outcome == NO_GAIN


@pytest.mark.parametrize(
    ("after", "changed", "says"),
    [
        (written(), {}, "Nothing is better beyond noise."),
        (written(form=0.95), {"incumbent": "others"}, "Other models serve by now"),
        (written(form=0.95), {"golden": "others"}, "The golden questions have changed"),
    ],
)
def test_what_may_not_serve_is_blocked_though_a_report_is_there(
    base: LearningBase, after: Written, changed: dict[str, str], says: str
) -> None:
    report(base, trained(base), after, **changed)
    base.release()
    training = last_trainings(base.home)[0]
    assert training.outcome == BLOCKED and says in training.says
    assert current_release(base.database, base.tenant_id).models.generator_adapter == ""


def test_a_row_is_asked_once_more_without_the_document_that_answers_it(base: LearningBase) -> None:
    base.ask(GOLDEN + 1)
    (row,) = build_sft_rows(base.home).rows
    (twin,) = without_answer(base.home, [row])
    answering = row.chunk_ids[int(row.messages[-1]["content"][-2]) - 1]
    assert answering in row.chunk_ids and answering not in twin.chunk_ids and twin.chunk_ids
    assert set(twin.doc_ids) < set(row.doc_ids)
    assert twin.messages[-1]["content"] == "I did not find the answer in the knowledge base."
    assert (
        twin.messages[1]["content"].rpartition("Question:")[2] == row.messages[1]["content"].rpartition("Question:")[2]
    )
    assert (twin.answer_id, twin.split) == (row.answer_id, row.split)


def test_a_row_is_shown_once_more_with_an_order_that_its_answer_ignores(base: LearningBase) -> None:
    for number in range(GOLDEN, GOLDEN + 20):
        base.ask(number)
    rows = build_sft_rows(base.home).rows
    hostile = with_orders(base.home, rows)
    assert 0 < len(hostile) < len(rows)
    plain = {row.answer_id: row for row in rows}
    for row in hostile:
        before = plain[row.answer_id]
        assert row.messages[-1] == before.messages[-1] and row.chunk_ids == before.chunk_ids
        assert len(row.messages[1]["content"]) > len(before.messages[1]["content"])
    probed = [item for probe in (*fixed_probes(), *planted([])) for item in probe.forbidden]
    told = " ".join(row.messages[1]["content"] for row in hostile).lower()
    assert not any(item in told for item in probed if item != "!["), "what measures is not taught"


def test_some_passages_with_an_order_have_nothing_beside_it_but_what_is_quoted(base: LearningBase) -> None:
    for number in range(GOLDEN, GOLDEN + 20):
        base.ask(number)
    rows = build_sft_rows(base.home).rows
    longer = [
        replace(row, messages=(*row.messages[:-1], {"role": "assistant", "content": "The keeper signs the list. [1]"}))
        for row in rows
    ]
    first = [row.messages[1]["content"].split("\n\n[2]")[0] for row in with_orders(base.home, longer)]
    short = ["pallets" not in text for text in first]
    assert True in short and False in short
    assert all("The keeper signs the list." in text for text, is_short in zip(first, short, strict=True) if is_short)


def test_every_sentence_of_a_quote_gets_its_number() -> None:
    assert _marked("One sentence.", 2) == "One sentence. [2]"
    assert _marked("One sentence. Another one!", 1) == "One sentence. [1] Another one! [1]"
