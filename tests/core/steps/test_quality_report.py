"""Reports tell how answers went against before, with a page that needs nothing from outside and no engineer."""

import json
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
from learning_base import GOLDEN, RULES, LearningBase, learning_base
from numpy.typing import NDArray
from sqlalchemy import select, update
from workbench import embedder

from aion_assets.core.database import tables
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.learn.curated import decide
from aion_assets.core.learn.daily import of_golden
from aion_assets.core.learn.drift import find_drift
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.reports import DAY_REPORT, RELEASE_REPORT, reports_for_people, store_report
from aion_assets.core.learn.reports import GOLDEN as OF_GOLDEN
from aion_assets.core.learn.told import reliability
from aion_assets.core.learn.unusual import how_unusual
from aion_assets.core.learn.watch import today_of
from aion_assets.core.record.corrections import APPROVED, PENDING, Decision, list_corrections
from aion_assets.core.record.feedback import Feedback, give_feedback
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import current_release
from aion_assets.core.settings import Settings
from aion_assets.core.steps.golden_figures import golden_figures
from aion_assets.core.steps.quality_report import report_day, report_release
from aion_serving.pages.report import report_view

ROWS = 40


def loaded(_models: ModelManifest) -> Embedder:
    return embedder()


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        yield made


def test_the_curve_says_how_often_each_certainty_is_true() -> None:
    measured = Measured(present=[0.9] * 9 + [0.3], absent=[0.9, *[0.1] * 9])
    curve = {point["said"]: point for point in reliability(measured)}
    assert curve[0.9]["n"] == 10 and curve[0.9]["true"] == pytest.approx(
        0.75 * 0.9 / (0.75 * 0.9 + 0.25 * 0.1), abs=1e-3
    )
    assert curve[0.1]["true"] == 0.0 and curve[0.3]["true"] == 1.0


def test_drift_is_told_where_there_is_some_and_enough() -> None:
    before = [{"confidence": 0.5 + number / 100, "language": "pt", "same": 1.0} for number in range(ROWS)]
    now = [
        {"confidence": 0.1 + number / 100, "language": ("pt", "en")[number % 2], "same": 1.0} for number in range(ROWS)
    ]
    found = {item.name: item for item in find_drift(before, now)}
    assert set(found) == {"confidence", "language"}, "what never varies cannot drift"
    assert found["confidence"].is_real and found["language"].is_real and found["language"].before == "pt"
    assert not any(item.is_real for item in find_drift(before, before))
    assert find_drift(before[:29], now) == []


def test_questions_about_something_else_are_told_by_their_vectors() -> None:
    chance = np.random.default_rng(0)

    def asked(about: int) -> NDArray[np.float32]:
        found = 0.2 * chance.normal(size=(ROWS, 16)).astype(np.float32)
        found[:, about] += 1
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    for about, drifts in ((0, False), (1, True)):
        before, now = ([{"unusual": value} for value in side] for side in how_unusual(asked(0), asked(about)))
        assert [item.is_real for item in find_drift(before, now)] == [drifts]


def test_answers_are_measured_against_what_corrections_say(base: LearningBase) -> None:
    text = "A warehouse keeper counts the pallets each morning and signs the list."
    for number in (0, 1):
        answer = base.ask(number)
        give_feedback(base.home, answer.answer_id, Feedback("down", correction=(text, "No pallets.")[number]))
        _, (waiting,) = list_corrections(base.home, PENDING)
        decide(base.home, waiting.correction_id, Decision(APPROVED, "tester", numbers=[1]))
    measured, _ = golden_figures(base.home, loaded)
    assert len(measured.f1) == len(measured.em) == len(measured.present) == 2
    assert max(measured.f1) > 0.4 > 0.2 > min(measured.f1) and measured.em == [0.0, 0.0]
    found = of_golden(measured, 0.5)
    assert found["answer_f1"].n == 2 and found["answer_f1"].value == pytest.approx(sum(measured.f1) / 2)


def test_a_day_and_a_release_are_reported_without_a_word_of_what_was_asked(base: LearningBase) -> None:
    home, today = base.home, today_of(base.home)
    old = current_release(base.database, base.tenant_id)
    for number in range(GOLDEN, RULES):
        base.ask(number, tau=1.0)
    with base.database.write() as connection:  # that was yesterday
        ids = connection.execute(select(tables.answers.c.answer_id)).scalars().all()
        rows = connection.execute(select(tables.answers.c.created_at)).scalars().all()
        for key, moment in zip(ids, rows, strict=True):
            this = tables.answers.c.answer_id == key
            connection.execute(update(tables.answers).where(this).values(created_at=moment - timedelta(days=1)))
    base.serve_vectors_alone()
    answers = [base.ask(number) for number in range(GOLDEN, RULES)]
    give_feedback(home, answers[0].answer_id, Feedback("down", correction="No pallets."))
    measured = Measured(["q"] * 40, [0.7] * 40, [0.7] * 40, [1.0] * 40, [1.0] * 40, [0.4] * 30, [0.1] * 30, [1.0])
    store_report(
        home,
        OF_GOLDEN,
        old.release_id,
        {"golden": "", "figures": Measured(**{**measured.to_json(), "ndcg": [0.9] * 40}).to_json()},
    )
    serving = current_release(base.database, base.tenant_id)
    store_report(home, OF_GOLDEN, serving.release_id, {"golden": "", "figures": measured.to_json()})

    day, release = report_day(home, today, loaded), report_release(home, loaded)
    assert release is not None
    for made in (day, release):
        body = json.dumps(made.body)
        assert "warehouse" not in body and "pallets" not in body
        assert made.body["answers"]["asked"] == made.body["answers_before"]["asked"] == RULES - GOLDEN
        assert made.body["answers"]["complete"] == RULES - GOLDEN and made.body["answers"]["corrections"] == 1
        assert made.body["answers_before"]["abstained"] == RULES - GOLDEN
        drifted = {item["name"] for item in made.body["drift"] if item["is_real"]}
        assert "outcome" in drifted and "words" not in drifted
        assert "unusual" in {item["name"] for item in made.body["drift"]} - drifted, "the same was asked"
    assert [item["part"] for item in release.body["changes"]] == ["ranker"]
    assert release.body["figures"]["ndcg@10"]["value"] == 0.7
    assert release.body["figures_before"]["ndcg@10"]["value"] == 0.9
    assert {(item.kind, item.subject) for item in reports_for_people(home)} == {
        (DAY_REPORT, today.isoformat()),
        (RELEASE_REPORT, serving.release_id),
    }
    view = report_view("release", serving.release_id, release.body, "pt")
    assert view["level"] == "attention"
    told = " ".join(view["worries"])
    assert "0,700 de 1; o limite é 0,820, em 40 perguntas de ouro" in told
    assert "ruins (1) do que boas (0)" in told and "diz ter 40 por cento de certeza, a resposta está lá em 100" in told
