"""The questions that a person should label first: those whose confidence lies nearest to the threshold.

There a judgement teaches most (uncertainty sampling, Lewis and Gale 1994), for the golden questions and for what is
fitted on them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select

from aion_assets.core.answer.extractive import CURATED
from aion_assets.core.answer.same_question import sense_of
from aion_assets.core.database import tables
from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.home import Home
from aion_assets.core.language.question import Question
from aion_assets.core.learn.golden import golden_questions, store_golden
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.pairs import plain
from aion_assets.core.learn.pii import personal_data_in
from aion_assets.core.learn.splits import freeze_new
from aion_assets.core.record.answers import State, read_answer
from aion_assets.core.record.events import LabelEvent, record_event
from aion_assets.core.records import Citation

OF_LABEL = "label"
# Newest answers that are looked through. More are of a base that has changed since.
_LOOKED_THROUGH = 2_000
_answers, _events = tables.answers, tables.events


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """`sources` are what its answer showed, by number."""

    answer_id: str
    question: str
    language: str
    confidence: float
    tau: float
    sources: Sequence[Citation]


def labelling_queue(home: Home, limit: int = 20) -> list[Unlabelled]:
    """By rising |C − τ|, each question once; none that is a golden question, was passed over or names a person."""
    known = {*(item.text for item in golden_questions(home)), *_looked_at(home)}
    texts, senses = {plain(text) for text in known}, {sense_of(Question.read(text)) for text in known}
    found: list[Unlabelled] = []
    for row in _uncertain(home):
        sense = sense_of(Question.read(row.question))
        if plain(row.question) in texts or sense in senses or personal_data_in(row.question):
            continue
        senses.add(sense)
        record = read_answer(home.database, home.tenant_id, row.answer_id)
        shown = [item for item in (*record.citations, *record.nearest) if item.passage.doc_id]
        ids = (row.answer_id, row.question, row.language)
        found.append(Unlabelled(*ids, round(row.confidence, 4), row.tau, shown))
        if len(found) == limit:
            break
    return found


@dataclass(frozen=True, slots=True)
class Label:
    """The right documents: by number of the answer's sources, or by address. Neither: no document answers it."""

    numbers: Sequence[int] = ()
    urls: Sequence[str] = ()
    by: str = ""


def label(home: Home, answer_id: str, given: Label) -> LabelledQuestion:
    """Make the question of the answer a golden question, with its split where the others have theirs.

    Raises AnswerNotFoundError: there is no such answer, or it shows no such source.
    """
    record = read_answer(home.database, home.tenant_id, answer_id)
    addresses = {item.number: item.passage.url for item in (*record.citations, *record.nearest) if item.passage.doc_id}
    for number in given.numbers:
        if number not in addresses:
            raise AnswerNotFoundError(f"Answer {answer_id!r} shows no source {number}.", "Count from 1.")
    chosen = dict.fromkeys([*(addresses[number] for number in given.numbers), *given.urls], 1)
    golden = LabelledQuestion(record.question, chosen, answerable=bool(chosen))
    store_golden(home, [golden], OF_LABEL)
    freeze_new(home)
    _note(home, answer_id, "labelled", given.by)
    return golden


def pass_over(home: Home, answer_id: str, by: str) -> None:
    """Offer the question no more. Raises AnswerNotFoundError: there is no such answer."""
    read_answer(home.database, home.tenant_id, answer_id)
    _note(home, answer_id, "passed_over", by)


def _note(home: Home, answer_id: str, action: str, by: str) -> None:
    with home.database.write() as connection:
        record_event(connection, home.tenant_id, LabelEvent(action, by), answer_id=answer_id)


def _looked_at(home: Home) -> list[str]:
    """Questions that a person labelled or passed over."""
    seen = select(_events.c.answer_id).where(_events.c.tenant_id == home.tenant_id, _events.c.kind == LabelEvent.kind)
    with home.database.read() as connection:
        return [*connection.execute(select(_answers.c.question).where(_answers.c.answer_id.in_(seen))).scalars()]


def _uncertain(home: Home) -> list[Row[tuple[str, str, str, float, float]]]:
    """The newest answers, the least certain first."""
    ended = (
        _answers.c.tenant_id == home.tenant_id,
        _answers.c.state.in_((State.COMPLETE, State.ABSTAINED)),
        _answers.c.engine != CURATED,
        _answers.c.question != "",
    )
    columns = (
        _answers.c.answer_id, _answers.c.question, _answers.c.language, _answers.c.confidence, _answers.c.tau,
    )  # fmt: skip
    newest = select(*columns).where(*ended).order_by(_answers.c.created_at.desc()).limit(_LOOKED_THROUGH).subquery()
    distance = func.abs(newest.c.confidence - newest.c.tau)
    with home.database.read() as connection:
        return list(connection.execute(select(newest).order_by(distance, newest.c.answer_id)))
