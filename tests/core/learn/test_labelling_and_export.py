"""What people label first, and what is handed out."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from learning_base import GOLDEN, LearningBase, code, learning_base, question
from sqlalchemy import update

from aion_assets.core.database import tables
from aion_assets.core.learn.export import event_lines, sft_lines, write_exports
from aion_assets.core.learn.golden import DEV, TEST, TRAIN, golden_questions
from aion_assets.core.learn.labelling_queue import Label, label, labelling_queue, pass_over
from aion_assets.core.learn.watch import today_of
from aion_assets.core.record.answers import AnswerRecord
from aion_assets.core.record.feedback import Feedback, give_feedback
from aion_assets.core.settings import Settings


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        yield made


def asked(base: LearningBase, number: int, confidence: float, **more: object) -> AnswerRecord:
    """An answer recorded with this confidence; its threshold is .62."""
    answer = base.ask(number, **more)
    with base.database.write() as connection:
        this = tables.answers.c.answer_id == answer.answer_id
        connection.execute(update(tables.answers).where(this).values(confidence=confidence, tau=0.62))
    return answer


def test_the_least_certain_question_comes_first_and_once(base: LearningBase) -> None:
    base.label()
    sure, doubt = asked(base, GOLDEN + 1, 0.99), asked(base, GOLDEN + 2, 0.60)
    near = asked(base, GOLDEN + 3, 0.63)
    asked(base, GOLDEN + 3, 0.64, text=f"what must a warehouse keeper do under the rule {code(GOLDEN + 3)}")
    asked(base, 1, 0.62)  # golden already
    asked(base, GOLDEN + 4, 0.62, text=f"My name is Maria. {question(GOLDEN + 4)}")
    queue = labelling_queue(base.home)
    assert [item.answer_id for item in queue] == [near.answer_id, doubt.answer_id, sure.answer_id]
    assert [item.answer_id for item in labelling_queue(base.home, 1)] == [near.answer_id]
    assert queue[0].sources[0].passage.url == base.addresses[GOLDEN + 3]
    pass_over(base.home, near.answer_id, "ana")
    golden = label(base.home, doubt.answer_id, Label(numbers=[1], by="ana"))
    assert list(golden.relevant) == [base.addresses[GOLDEN + 2]]
    assert [item.answer_id for item in labelling_queue(base.home)] == [sure.answer_id]
    splits = {item.text for item in golden_questions(base.home, TRAIN, DEV, TEST)}
    assert golden.text in splits, "where others are frozen it gets its split at once"


def test_before_a_freeze_a_label_has_no_split(base: LearningBase) -> None:
    answer = asked(base, 1, 0.62)
    label(base.home, answer.answer_id, Label())
    (golden,) = golden_questions(base.home, "")
    assert golden.text == question(1) and not golden.answerable


def test_exports_hold_what_may_leave_and_are_kept_for_so_long(base: LearningBase) -> None:
    kept, bad = base.ask(GOLDEN + 1), base.ask(GOLDEN + 2)
    give_feedback(base.home, bad.answer_id, Feedback("down", "wrong, says Maria"))
    events = [json.loads(line) for line in event_lines(base.home)]
    assert {row["kind"] for row in events} >= {"retrieval", "answer", "feedback", "release"}
    assert "Maria" not in str(events) and "warehouse" not in str(events)
    (row,) = [json.loads(line) for line in sft_lines(base.home)]
    assert row["answer_id"] == kept.answer_id
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    today = today_of(base.home)
    assert not [*event_lines(base.home, until=today - timedelta(days=1))]
    for days_ago in (2, 1, 0):
        written = write_exports(base.home, today - timedelta(days=days_ago), kept_days=2)
    assert (written.events, written.sft_rows, written.deleted) == (len(events), 1, 2)
    names = sorted(path.name for path in written.folder.iterdir())
    assert names == sorted(
        f"{kind}-{today - timedelta(days=ago)}.jsonl" for kind in ("events", "sft") for ago in (0, 1)
    )
    lines = (written.folder / f"events-{today}.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == events
