"""One training at a time, whoever asks, and each ends once."""

import threading

import pytest

from aion_assets.core.database.engine import Database
from aion_assets.core.errors import TrainingError, TrainingUnderWayError
from aion_assets.core.home import Home
from aion_assets.core.learn.adapter_mode import adapter_mode
from aion_assets.core.learn.trainings import (
    BLOCKED,
    CANCELLED,
    COMPLETE,
    FAILED,
    NO_GAIN,
    RANKER,
    RELEASED,
    RETRIEVER_ADAPTER,
    RUNNING,
    active_training,
    ask_to_cancel,
    change_training,
    end_training,
    last_trainings,
    read_training,
    request_training,
)
from aion_assets.core.release.encoders import FULL, QUERY
from aion_assets.core.settings import Settings


@pytest.fixture
def home(either_database: tuple[Database, Settings]) -> Home:
    database, settings = either_database
    home = Home(settings)
    home.database = database
    return home


def test_of_many_who_ask_at_once_one_gets_a_training(home: Home) -> None:
    refused = []

    def ask() -> None:
        try:
            request_training(home, RANKER, "tester", "")
        except TrainingUnderWayError as error:
            refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 5 and len(last_trainings(home)) == 1


def test_the_next_one_may_start_when_the_last_has_ended(home: Home) -> None:
    first = request_training(home, RANKER, "tester", "")
    assert end_training(home, first.training_id, COMPLETE, outcome=BLOCKED, says="No better.")
    second = request_training(home, RANKER, "tester", "")
    assert [item.training_id for item in last_trainings(home)] == [second.training_id, first.training_id]


def test_a_training_ends_once(home: Home) -> None:
    asked = request_training(home, RANKER, "tester", "")
    end_training(home, asked.training_id, COMPLETE, outcome=RELEASED, says="Better.")
    assert not end_training(home, asked.training_id, FAILED, says="Its run is gone.")
    ended = read_training(home, asked.training_id)
    assert (ended.state, ended.outcome, ended.says) == (COMPLETE, RELEASED, "Better.")
    assert active_training(home) is None


def test_one_that_nobody_picked_up_is_cancelled_at_once(home: Home) -> None:
    request_training(home, RANKER, "tester", "")
    assert ask_to_cancel(home).state == CANCELLED


def test_one_that_runs_is_asked_to_end(home: Home) -> None:
    asked = request_training(home, RANKER, "tester", "")
    change_training(home, asked.training_id, state=RUNNING)
    cancelled = ask_to_cancel(home)
    assert cancelled.state == RUNNING and cancelled.cancel_asked_at is not None


def test_what_is_not_there_is_said_with_the_next_step(home: Home) -> None:
    with pytest.raises(TrainingError, match="No training is under way"):
        ask_to_cancel(home)
    with pytest.raises(TrainingError, match=r"no learner 'magic'.*ranker"):
        request_training(home, "magic", "tester", "")


def test_passages_are_embedded_anew_once_two_adapters_of_questions_gained_nothing(home: Home) -> None:
    def tried(outcome: str, mode: str) -> None:
        training = request_training(home, RETRIEVER_ADAPTER, "tester", "")
        change_training(home, training.training_id, figures={"mode": mode})
        end_training(home, training.training_id, COMPLETE, outcome=outcome)

    home.settings = home.settings.model_copy(update={"retriever_adapter_mode": "auto"})
    found = []
    for outcome, mode in ((BLOCKED, QUERY), (NO_GAIN, QUERY), (BLOCKED, FULL), (RELEASED, FULL), (BLOCKED, QUERY)):
        tried(outcome, mode)
        found.append(adapter_mode(home))
    assert found == [QUERY, FULL, FULL, QUERY, QUERY]
    home.settings = home.settings.model_copy(update={"retriever_adapter_mode": FULL})
    assert adapter_mode(home) == FULL
