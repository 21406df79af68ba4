"""An answer is opened when its generation starts, and closed once, however it ends."""

from datetime import timedelta

import numpy as np
import pytest
from passages import hit
from sqlalchemy import select

from aion_assets.core.answer.citations import cite, where_passages_begin
from aion_assets.core.answer.extractive import EXTRACTIVE, Answer
from aion_assets.core.answer.quotes import Quote
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.language.question import Question
from aion_assets.core.record.answers import (
    Asked,
    State,
    close_answer,
    end_abandoned_answers,
    end_answer,
    open_answer,
    read_answer,
)
from aion_assets.core.search.hits import Retrieval
from aion_assets.core.search.weights import TermWeights
from aion_assets.core.settings import Settings

Either = tuple[Database, Settings]
HITS = [hit("a", text="O prazo termina em março.", score=1.0), hit("b", text="O restaurante abre cedo.", score=0.2)]
LATENCY = {"retrieval": 5.0, "engine": 2.0, "total": 7.0}


@pytest.fixture
def opened(either_database: Either) -> str:
    database, settings = either_database
    return open_answer(database, settings.tenant_id, Asked("Quando termina?", "release", "extractive-1", "page"))


def _retrieval() -> Retrieval:
    weights = TermWeights.of_texts([item.text for item in HITS], "pt")
    vector = np.zeros(8, dtype=np.float32)
    return Retrieval(Question.read("Quando termina?"), HITS, 0.8, {"best_cosine": 0.9}, vector, weights, seconds=0.005)


def _answer() -> Answer:
    quotes = [Quote(HITS[0], HITS[0].text, 1.0)]
    return Answer(EXTRACTIVE, 0.9, 0.62, "pt", cite(quotes, where_passages_begin(quotes)))


def test_an_open_answer_is_there_before_it_is_finished(either_database: Either, opened: str) -> None:
    record = read_answer(either_database[0], either_database[1].tenant_id, opened)
    assert (record.state, record.question, record.text, record.closed_at) == (State.OPEN, "Quando termina?", "", None)


def test_a_closed_answer_keeps_what_its_calibration_can_be_fitted_on(either_database: Either, opened: str) -> None:
    database, settings = either_database
    given = close_answer(database, opened, _retrieval(), _answer(), LATENCY)
    assert read_answer(database, settings.tenant_id, opened) == given
    assert given.state == State.COMPLETE and given.closed_at is not None
    with database.read() as connection:
        row = connection.execute(select(tables.answers)).one()
    assert (row.features, row.raw_confidence, row.channel) == ({"best_cosine": 0.9}, 0.8, "page")
    assert row.latency_ms == LATENCY


def test_every_passage_that_was_given_is_kept_by_rank_and_only_what_was_shown_with_its_text(
    either_database: Either, opened: str
) -> None:
    close_answer(either_database[0], opened, _retrieval(), _answer(), LATENCY)
    with either_database[0].read() as connection:
        rows = connection.execute(select(tables.answer_passages).order_by(tables.answer_passages.c.rank)).all()
    assert [(row.rank, row.role, row.number, row.propensity) for row in rows] == [
        (1, "cited", 1, 1.0),
        (2, "given", 0, 1.0),
    ]
    assert [bool(row.passage) for row in rows] == [True, False]
    assert rows[1].scores["score"] == 0.2


def test_an_answer_is_closed_once(either_database: Either, opened: str) -> None:
    database, settings = either_database
    end_answer(database, opened, State.CANCELLED, "stopped by the reader")
    late = close_answer(database, opened, _retrieval(), _answer(), LATENCY)
    assert late.state == State.CANCELLED
    stored = read_answer(database, settings.tenant_id, opened)
    assert (stored.state, stored.text, stored.given) == (State.CANCELLED, "", [])
    end_answer(database, opened, State.FAILED, "too late")
    assert read_answer(database, settings.tenant_id, opened).reason == "stopped by the reader"


def test_what_a_dead_process_left_open_is_marked_failed(either_database: Either, opened: str) -> None:
    database, settings = either_database
    assert end_abandoned_answers(database, settings.tenant_id, timedelta(minutes=5)) == 0, "it may still be at work"
    assert end_abandoned_answers(database, "other", timedelta(0)) == 0
    assert end_abandoned_answers(database, settings.tenant_id, timedelta(0)) == 1
    assert read_answer(database, settings.tenant_id, opened).state == State.FAILED
