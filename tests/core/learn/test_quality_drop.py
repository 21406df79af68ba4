"""When the watch starts a learner, which one, and what it says when it does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aion_assets.core.learn import daily
from aion_assets.core.learn.daily import Metric
from aion_assets.core.learn.quality_drop import Decision, Memory, decide
from aion_assets.core.learn.trainings import (
    BLOCKED,
    COMPLETE,
    GENERATOR,
    NO_GAIN,
    RANKER,
    RELEASED,
    RETRIEVER_ADAPTER,
    RUNNING,
    WATCH,
    Training,
)
from aion_assets.core.settings import Settings

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
GOOD = {daily.FALLBACK: Metric(0.05, 200), daily.NDCG: Metric(0.9, 100), daily.CANDIDATES: Metric(0.98, 100)}


def _training(outcome: str = BLOCKED, hours_ago: float = 24, **changed: Any) -> Training:
    at = NOW - timedelta(hours=hours_ago)
    made = Training("t" * 32, RANKER, COMPLETE, WATCH, "", at, at, at, None, "", "", "", outcome, "", None)
    return replace(made, **changed)


def _decide(today: dict[str, Metric], memory: Memory | None = None, **settings: Any) -> Decision:
    return decide(Settings(**settings), {**GOOD, **today}, {}, memory or Memory(), NOW)


def test_nothing_starts_while_nothing_dropped() -> None:
    decision = _decide({})
    assert decision.learner == "" and decision.says.startswith("Nothing dropped.")


def test_an_ndcg_below_its_threshold_starts_the_ranker_where_one_of_the_scores_knows_the_order() -> None:
    decision = _decide({daily.NDCG: Metric(0.75, 100), daily.ORACLE: Metric(0.9, 100)})
    assert decision.learner == RANKER
    assert (
        "0.7500 on 100" in decision.says and "One score alone often puts the right page first (0.9000)" in decision.says
    )


def test_better_vectors_are_wanted_where_no_score_puts_the_right_page_first_though_it_is_among_the_candidates() -> None:
    decision = _decide({daily.NDCG: Metric(0.64, 100), daily.ORACLE: Metric(0.69, 100)})
    assert decision.learner == RETRIEVER_ADAPTER and "(0.6900)" in decision.says


def test_figures_without_an_oracle_are_judged_by_the_candidates() -> None:
    unfound = _decide({daily.NDCG: Metric(0.7, 100), daily.CANDIDATES: Metric(0.75, 100)})
    misordered = _decide({daily.NDCG: Metric(0.81, 100)})
    assert (unfound.learner, misordered.learner) == (RETRIEVER_ADAPTER, RANKER)


def test_a_fallback_rate_above_its_threshold_starts_a_learner() -> None:
    decision = _decide({daily.FALLBACK: Metric(0.3, 200)})
    assert decision.learner and "Fallback rate 0.300 of 200" in decision.says


def test_today_and_yesterday_count_by_their_answers() -> None:
    settings = Settings()
    today, yesterday = {**GOOD, daily.FALLBACK: Metric(1.0, 10)}, {daily.FALLBACK: Metric(0.1, 190)}
    assert decide(settings, today, yesterday, Memory(), NOW).learner == "", "a bad morning is not a bad day"
    assert decide(settings, today, {daily.FALLBACK: Metric(0.1, 50)}, Memory(), NOW).learner


@pytest.mark.parametrize("figure", [{daily.NDCG: Metric(0.2, 29)}, {daily.FALLBACK: Metric(0.9, 49)}])
def test_too_small_a_sample_starts_nothing(figure: dict[str, Metric]) -> None:
    decision = _decide(figure)
    assert decision.learner == "" and "are needed" in decision.says


def test_an_alarm_ends_only_when_the_figure_is_clearly_back() -> None:
    began = _decide({daily.NDCG: Metric(0.819, 100)})
    assert daily.NDCG in began.alarms
    still = _decide({daily.NDCG: Metric(0.825, 100)}, Memory(began.alarms))
    assert still.alarms == began.alarms, "around the threshold it neither ends nor begins anew"
    assert daily.NDCG not in _decide({daily.NDCG: Metric(0.831, 100)}, Memory(still.alarms)).alarms


def test_after_a_training_it_rests() -> None:
    dropped = {daily.NDCG: Metric(0.8, 100)}
    resting = _decide(dropped, Memory(trainings=[_training(RELEASED, hours_ago=5.9)]))
    assert resting.learner == "" and "Resting until" in resting.says
    assert _decide(dropped, Memory(trainings=[_training(RELEASED, hours_ago=6.1)])).learner


def test_one_runs_at_a_time() -> None:
    running = _training("", state=RUNNING, active=1, ended_at=None)
    decision = _decide({daily.NDCG: Metric(0.8, 100)}, Memory(trainings=[running]))
    assert decision.learner == "" and "is running" in decision.says


@pytest.mark.parametrize("outcomes", [(BLOCKED, NO_GAIN), (NO_GAIN, NO_GAIN)])
def test_two_runs_without_gain_suspend_it_until_a_person_looks(outcomes: tuple[str, str]) -> None:
    dropped = {daily.NDCG: Metric(0.8, 100)}
    trainings = [_training(outcomes[0], 10), _training(outcomes[1], 20)]
    suspended = _decide(dropped, Memory(trainings=trainings))
    assert suspended.learner == "" and "Suspended" in suspended.says and "aion train resume" in suspended.says
    assert _decide(dropped, Memory(resumed_at=NOW - timedelta(hours=1), trainings=trainings)).learner


def test_after_a_ranker_in_vain_the_vectors_are_next() -> None:
    dropped = {daily.NDCG: Metric(0.8, 100)}
    decision = _decide(dropped, Memory(trainings=[_training(BLOCKED, 10), _training(RELEASED, 20)]))
    assert decision.learner == RETRIEVER_ADAPTER and "better vectors are next" in decision.says
    assert _decide(dropped, Memory(trainings=[_training(RELEASED, 10)])).learner == RANKER
    looked = Memory(resumed_at=NOW - timedelta(hours=1), trainings=[_training(BLOCKED, 10)])
    assert _decide(dropped, looked).learner == RANKER, "a person looked, so it begins anew"


def test_a_gain_in_between_does_not_suspend_it() -> None:
    trainings = [_training(BLOCKED, 10), _training(RELEASED, 20), _training(BLOCKED, 30)]
    assert _decide({daily.NDCG: Metric(0.8, 100)}, Memory(trainings=trainings)).learner


def test_what_people_start_does_not_suspend_it() -> None:
    trainings = [_training(BLOCKED, 10, requested_by="cli:ana"), _training(BLOCKED, 20)]
    assert _decide({daily.NDCG: Metric(0.8, 100)}, Memory(trainings=trainings)).learner


def test_switched_off_it_starts_nothing_and_says_so() -> None:
    decision = _decide({daily.NDCG: Metric(0.8, 100)}, learn_automatically=False)
    assert decision.learner == "" and "AION_LEARN_AUTOMATICALLY" in decision.says


def test_bad_answers_over_right_passages_start_the_generator_and_over_wrong_ones_the_search() -> None:
    bad = {daily.WRITTEN_BAD: Metric(0.5, 40)}
    decision = _decide(bad, base_model="a-model")
    assert decision.learner == GENERATOR and "the right passages are found" in decision.says
    assert _decide({**bad, daily.NDCG: Metric(0.7, 100)}, base_model="a-model").learner == RANKER
    assert _decide(bad).learner == "", "without a base model there is nothing to train"
    assert _decide({daily.WRITTEN_BAD: Metric(0.5, 19)}, base_model="a-model").learner == "", "too few judgements"
