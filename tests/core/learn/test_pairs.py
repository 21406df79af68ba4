"""What may be learned from, and what must never be."""

import pytest
from learning_base import GOLDEN, LearningBase, question
from sqlalchemy import insert

from aion_assets.core.curate.decisions import REJECTED
from aion_assets.core.database import learning_tables
from aion_assets.core.database.engine import now
from aion_assets.core.learn.golden import TRAIN, golden_questions
from aion_assets.core.learn.pairs import CITATION, CLICK, build_pairs, leaked_pairs, read_pairs
from aion_assets.core.learn.pairs import GOLDEN as OF_GOLDEN
from aion_assets.core.record.feedback import Feedback, give_feedback, record_click, take_feedback_back

FREE = GOLDEN + 1  # a rule without a golden question


def _number(base: LearningBase, answer: object) -> int:
    return answer.citations[0].number  # type: ignore[attr-defined]


def test_a_click_becomes_a_pair_that_names_its_answer(base: LearningBase) -> None:
    answer = base.ask(FREE)
    record_click(base.home, answer.answer_id, 1)
    dataset = build_pairs(base.home)
    assert [(pair.origin, pair.origin_id, pair.question) for pair in dataset.pairs] == [
        (CLICK, answer.answer_id, question(FREE))
    ]
    assert dataset.pairs[0].doc_id == answer.citations[0].passage.doc_id
    assert read_pairs(base.home) == dataset.pairs


def test_a_click_farther_down_weighs_more(base: LearningBase) -> None:
    answer = base.ask(FREE, tau=1.0)
    for number in (1, 2):
        record_click(base.home, answer.answer_id, number)
    by_document = {pair.doc_id: pair.weight for pair in build_pairs(base.home).pairs}
    first, second = (item.passage.doc_id for item in answer.nearest[:2])
    assert by_document[second] == 2 * by_document[first]


def test_a_click_on_an_answer_that_was_judged_bad_is_left_out_and_counted(base: LearningBase) -> None:
    answer = base.ask(FREE)
    record_click(base.home, answer.answer_id, 1)
    give_feedback(base.home, answer.answer_id, Feedback("down"))
    dataset = build_pairs(base.home)
    assert not dataset.pairs and dataset.left_out == {"bad_answer": 1}
    take_feedback_back(base.home, answer.answer_id)
    assert len(build_pairs(base.home).pairs) == 1


def test_a_thumb_up_teaches_the_passage_that_led_the_answer(base: LearningBase) -> None:
    answer = base.ask(FREE)
    give_feedback(base.home, answer.answer_id, Feedback("up"))
    pairs = build_pairs(base.home).pairs
    assert [(pair.origin, pair.doc_id) for pair in pairs] == [(CITATION, answer.citations[0].passage.doc_id)]


def test_a_thumb_up_on_an_abstention_is_no_evidence(base: LearningBase) -> None:
    answer = base.ask(FREE, tau=1.0)
    give_feedback(base.home, answer.answer_id, Feedback("up"))
    dataset = build_pairs(base.home)
    assert not dataset.pairs and dataset.left_out == {"unverified_citations": 1}


def test_what_golden_questions_measure_is_never_learned(base: LearningBase) -> None:
    base.label()
    train = {item.text for item in golden_questions(base.home, TRAIN)}
    held = next(number for number in range(GOLDEN) if question(number) not in train)
    answer = base.ask(held)
    record_click(base.home, answer.answer_id, 1)
    dataset = build_pairs(base.home)
    assert {pair.origin for pair in dataset.pairs} == {OF_GOLDEN}
    assert {pair.question for pair in dataset.pairs} == train
    assert sum(dataset.left_out.values()) == 1 and not leaked_pairs(base.home)


def test_before_a_split_is_frozen_no_golden_question_trains(base: LearningBase) -> None:
    base.label()
    with base.database.write() as connection:
        from aion_assets.core.database import tables

        connection.execute(tables.golden_queries.update().values(split=""))
    assert not build_pairs(base.home).pairs


def test_a_leak_is_found_whoever_wrote_it(base: LearningBase) -> None:
    base.label()
    train = {item.text for item in golden_questions(base.home, TRAIN)}
    held = next(number for number in range(GOLDEN) if question(number) not in train)
    row = {"pair_id": "p", "tenant_id": base.tenant_id, "question": question(held).upper(), "language": "en",
           "doc_id": "d", "source_id": "s", "weight": 1.0, "origin": "click", "origin_id": "a", "user_id": "",
           "created_at": now()}  # fmt: skip
    with base.database.write() as connection:
        connection.execute(insert(learning_tables.training_pairs).values(**row))
    assert len(leaked_pairs(base.home)) == 1


@pytest.mark.parametrize("learned", [True, False])
def test_a_rejected_document_teaches_nothing(base: LearningBase, learned: bool) -> None:
    answer = base.ask(FREE)
    record_click(base.home, answer.answer_id, 1)
    if not learned:
        base.decide(REJECTED, answer.citations[0].passage.doc_id)
    dataset = build_pairs(base.home)
    assert bool(dataset.pairs) is learned
    assert dataset.left_out == ({} if learned else {"document_gone": 1})
