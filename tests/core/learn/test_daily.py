"""The figures of a day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from learning_base import GOLDEN, LearningBase, learning_base
from sqlalchemy import update

from aion_assets.core.database import tables
from aion_assets.core.learn import daily
from aion_assets.core.learn.daily import measure_day, read_day, share
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.watch import today_of
from aion_assets.core.record.feedback import Feedback, give_feedback, record_click
from aion_assets.core.settings import Settings

DAY = date(2026, 3, 10)


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings.model_copy(update={"timezone": "America/Sao_Paulo"})) as made:
        yield made


def _move(base: LearningBase, answer_id: str, moment: datetime) -> None:
    with base.database.write() as connection:
        this = tables.answers.c.answer_id == answer_id
        connection.execute(update(tables.answers).where(this).values(created_at=moment))


def _ask_at(base: LearningBase, moment: datetime, number: int = GOLDEN, tau: float = 0.0) -> str:
    answer_id = base.ask(number, tau=tau).answer_id
    _move(base, answer_id, moment)
    return answer_id


def test_a_day_begins_where_the_clock_of_the_house_says(base: LearningBase) -> None:
    for moment in (datetime(2026, 3, 10, 2, 59, tzinfo=UTC), datetime(2026, 3, 10, 3, 0, tzinfo=UTC),
                   datetime(2026, 3, 11, 2, 59, tzinfo=UTC), datetime(2026, 3, 11, 3, 0, tzinfo=UTC)):  # fmt: skip
        _ask_at(base, moment)
    assert measure_day(base.home, DAY, None, "")[daily.FALLBACK].n == 2, "São Paulo is three hours behind UTC"


def test_while_nothing_leaves_the_house_an_abstention_below_tau_is_a_fallback(base: LearningBase) -> None:
    moment = datetime(2026, 3, 10, 12, tzinfo=UTC)
    for number in range(3):
        _ask_at(base, moment, GOLDEN + number)
    _ask_at(base, moment, GOLDEN + 5, tau=1.0)
    found = measure_day(base.home, DAY, None, "")
    assert (found[daily.FALLBACK].value, found[daily.FALLBACK].n) == (0.25, 4)
    assert found["latency_total_p50_ms"].value == 12.0


def test_late_events_are_absorbed_by_the_next_run_of_the_day(base: LearningBase) -> None:
    moment = datetime(2026, 3, 10, 12, tzinfo=UTC)
    _ask_at(base, moment)
    measure_day(base.home, DAY, None, "")
    _ask_at(base, moment, tau=1.0)
    measure_day(base.home, DAY, None, "")
    stored = read_day(base.home, DAY)
    assert (stored[daily.FALLBACK].value, stored[daily.FALLBACK].n) == (0.5, 2)


def test_golden_figures_of_a_day_outlive_a_later_run_of_it(base: LearningBase) -> None:
    golden = Measured(query_ids=["a"], ndcg=[0.5], mrr=[0.5], recall=[1.0], found=[1.0], present=[0.9], absent=[0.2])
    measure_day(base.home, DAY, golden, "r")
    measure_day(base.home, DAY, None, "")
    assert read_day(base.home, DAY)[daily.NDCG].value == 0.5


def test_clicks_and_thumbs_are_counted_by_answer(base: LearningBase) -> None:
    answers = [base.ask(GOLDEN + number) for number in range(4)]
    for _ in range(2):
        record_click(base.home, answers[0].answer_id, 1)
    give_feedback(base.home, answers[1].answer_id, Feedback("up"))
    found = measure_day(base.home, today_of(base.home), None, "")
    assert (found[daily.CLICK_RATE].value, found[daily.CLICK_RATE].n) == (0.25, 4)
    assert (found[daily.THUMBS_UP].value, found[daily.THUMBS_UP].n) == (1.0, 1)


def test_an_interval_holds_the_share_and_narrows_with_the_count() -> None:
    few, many = share(2, 10), share(200, 1000)
    assert few.low < 0.2 < few.high and many.low < 0.2 < many.high  # type: ignore[operator]
    assert many.high - many.low < (few.high - few.low) / 5  # type: ignore[operator]
    assert (share(0, 5).low, share(5, 5).high) == (0.0, 1.0)
