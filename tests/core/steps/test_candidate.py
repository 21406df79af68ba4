"""A candidate goes through the gate into a release, content releases inherit it, and what is worse never serves."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from learning_base import GOLDEN, RULES, LearningBase, learning_base
from workbench import article, loaded_embedder, write_files

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.home import Home
from aion_assets.core.learn import trainings
from aion_assets.core.learn.judged import judged_cases
from aion_assets.core.learn.pairs import GOLDEN as OF_GOLDEN
from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.learn.reports import CANDIDATE, newest_report
from aion_assets.core.learn.trainings import (
    BLOCKED,
    CALIBRATION,
    NO_GAIN,
    RANKER,
    RELEASED,
    read_training,
    request_training,
)
from aion_assets.core.record.feedback import Feedback, give_feedback, record_click
from aion_assets.core.release.models import LEARNED, builtin_models, origin_of, store_candidate
from aion_assets.core.release.releases import Publication, current_release, publish
from aion_assets.core.search.ranker import Ranker, halves_only
from aion_assets.core.settings import Settings
from aion_assets.core.steps.candidate import CandidateReport, measure_candidate, verdict_of
from aion_assets.core.steps.training import begin_training, finish_training
from aion_assets.core.steps.training_calibration import learn_calibration
from aion_assets.core.steps.training_ranker import learn_ranker


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        made.label()
        made.serve_vectors_alone()
        yield made


def _click(base: LearningBase, *, right: bool) -> None:
    for number in range(GOLDEN, RULES):
        answer = base.ask(number)
        for item in answer.citations or answer.nearest:
            if (item.passage.url == base.addresses[number]) == right:
                record_click(base.home, answer.answer_id, item.number)
                break


def _train(base: LearningBase) -> str:
    """Id of the training."""
    asked = request_training(base.home, RANKER, "tester", "")
    pairs = build_pairs(base.home).pairs
    task = begin_training(base.home, RANKER, "run-train")
    release = current_release(base.database, base.tenant_id)
    learned = learn_ranker(base.home, release, loaded_embedder(base.model), pairs)
    result = {"models": {"ranker": learned.ranker.to_json()}, "figures": learned.figures}
    finish_training(base.home, task, result, "run-train")
    return asked.training_id


def _candidate(base: LearningBase, ranker: Ranker) -> str:
    asked = request_training(base.home, RANKER, "tester", "")
    task = begin_training(base.home, RANKER, "run-train")
    finish_training(base.home, task, {"models": {"ranker": ranker.to_json()}, "figures": {}}, "run-train")
    return asked.training_id


def _measure(base: LearningBase) -> CandidateReport:
    return measure_candidate(base.home, lambda models: loaded_embedder(base.model))


def test_clicks_on_what_is_right_make_a_better_release(base: LearningBase) -> None:
    before = current_release(base.database, base.tenant_id)
    _click(base, right=True)
    training_id = _train(base)
    report = _measure(base)
    assert report.verdict.passes, report.verdict.says
    assert report.after["ndcg@10"] > report.before["ndcg@10"] + 0.02
    assert base.release().published
    now = current_release(base.database, base.tenant_id)
    assert now.model_release_id == report.training.candidate != before.model_release_id
    assert now.content.report_id == report.report_id
    training = read_training(base.home, training_id)
    assert (training.outcome, training.is_active) == (RELEASED, False) and now.release_id[:12] in training.says


def test_a_content_release_inherits_what_was_learned(base: LearningBase, tmp_path: Path) -> None:
    _candidate(base, Ranker.from_json(builtin_models(base.model).ranker))
    assert _measure(base).verdict.passes
    base.release()
    learned = current_release(base.database, base.tenant_id)
    assert origin_of(base.database, learned.model_release_id) == LEARNED
    base.run(base.add(write_files(tmp_path / "more", a_md=article("gardening"))))
    after = current_release(base.database, base.tenant_id)
    assert after.release_id != learned.release_id and after.index["rows"] > learned.index["rows"]
    assert after.model_release_id == learned.model_release_id


def test_a_worse_candidate_is_blocked_and_keeps_its_report(base: LearningBase) -> None:
    base.serve_ranker(Ranker.from_json(builtin_models(base.model).ranker).with_shares({}, {"again": 1}))
    before = current_release(base.database, base.tenant_id)
    training_id = _candidate(base, halves_only(1.0, 0.0))
    report = _measure(base)
    assert not report.verdict.passes and report.report_id
    assert not base.release().published
    assert current_release(base.database, base.tenant_id).release_id == before.release_id
    training = read_training(base.home, training_id)
    assert training.outcome == BLOCKED and "worse" in training.says


def _click_anything(base: LearningBase, times: int) -> None:
    """Of what stands below an answer, whatever it says."""
    chance = random.Random(0)
    for number in range(GOLDEN, RULES):
        for answer in base.ask_again(number, times, tau=1.0):
            record_click(base.home, answer.answer_id, chance.choice(answer.nearest).number)


def test_what_learned_from_clicks_that_do_not_read_is_blocked_until_a_person_decides(base: LearningBase) -> None:
    _click_anything(base, 20)
    training_id = _candidate(base, Ranker.from_json(builtin_models(base.model).ranker))
    report = _measure(base)
    assert not report.verdict.passes and report.after["ndcg@10"] > report.before["ndcg@10"] + 0.02
    said = read_training(base.home, training_id)
    assert said.outcome == BLOCKED and "follow the place" in said.says and "AION_LEARN_CLICKS" in said.says
    stored = newest_report(base.home, CANDIDATE, report.training.candidate)
    assert stored is not None and not verdict_of(base.home, RANKER, stored.body).passes
    assert verdict_of(_with_clicks(base, "trust"), RANKER, stored.body).passes


def test_clicks_that_are_left_out_teach_nothing(base: LearningBase) -> None:
    _click(base, right=True)
    dataset = build_pairs(_with_clicks(base, "leave_out"))
    assert set(dataset.counts()) == {OF_GOLDEN} and dataset.left_out["clicks_left_out"] > 20


def _with_clicks(base: LearningBase, decided: str) -> Home:
    return Home(base.settings.model_copy(update={"learn_clicks": decided}))


def test_the_release_checks_the_gate_itself(base: LearningBase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever measured may have been killed between its report and its verdict."""
    base.serve_ranker(Ranker.from_json(builtin_models(base.model).ranker).with_shares({}, {"again": 1}))
    before = current_release(base.database, base.tenant_id)
    training_id = _candidate(base, halves_only(1.0, 0.0))
    monkeypatch.setattr("aion_assets.core.steps.candidate.end_training", lambda *_, **__: True)
    _measure(base)
    monkeypatch.undo()
    assert read_training(base.home, training_id).is_active
    base.release()
    assert current_release(base.database, base.tenant_id).release_id == before.release_id
    assert read_training(base.home, training_id).outcome == BLOCKED


def test_a_candidate_that_was_not_measured_is_not_released(base: LearningBase) -> None:
    before = current_release(base.database, base.tenant_id)
    _candidate(base, Ranker.from_json(builtin_models(base.model).ranker))
    base.release()
    assert current_release(base.database, base.tenant_id).release_id == before.release_id


def test_a_report_on_models_that_no_longer_serve_releases_nothing(base: LearningBase) -> None:
    training_id = _candidate(base, Ranker.from_json(builtin_models(base.model).ranker))
    assert _measure(base).verdict.passes
    other = base.serve_ranker(halves_only(0.9, 0.0))
    base.release()
    assert current_release(base.database, base.tenant_id).model_release_id == other.model_release_id
    assert "Other models serve by now" in read_training(base.home, training_id).says


def test_questions_that_changed_since_release_nothing(base: LearningBase) -> None:
    from aion_assets.core.learn.golden import OF_IMPORT, TEST, golden_questions, store_golden
    from aion_assets.core.learn.labelled import LabelledQuestion

    training_id = _candidate(base, Ranker.from_json(builtin_models(base.model).ranker))
    assert _measure(base).verdict.passes
    changed = golden_questions(base.home, TEST)[0]
    store_golden(base.home, [LabelledQuestion(changed.text, {base.addresses[0]: 1, "file:///x": 2})], OF_IMPORT)
    base.release()
    assert "golden questions have changed" in read_training(base.home, training_id).says


def test_a_kill_between_release_and_note_is_noted_by_the_next_run(
    base: LearningBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_id = _candidate(base, Ranker.from_json(builtin_models(base.model).ranker))
    _measure(base)
    monkeypatch.setattr("aion_assets.core.steps.release.decided", lambda *_: None)
    base.release()
    monkeypatch.undo()
    assert read_training(base.home, training_id).is_active
    assert not base.release().published
    assert read_training(base.home, training_id).outcome == RELEASED


def test_pairs_that_teach_nothing_end_the_training_without_a_candidate(base: LearningBase) -> None:
    serving = Ranker.from_json(current_release(base.database, base.tenant_id).models.ranker)
    training = read_training(base.home, _candidate(base, serving))
    assert (training.outcome, training.candidate, training.state) == (NO_GAIN, "", trainings.COMPLETE)


def test_a_confidence_that_refuses_what_it_could_answer_is_fitted_anew_and_released(
    base: LearningBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aion_assets.core.learn.recalibration.MIN_CASES", 15)
    current = current_release(base.database, base.tenant_id)
    calibration = Calibration.from_json(current.models.calibration)
    timid = {name: replace(model, intercept=model.intercept - 6) for name, model in calibration.models.items()}
    models = replace(
        current.models,
        ranker=builtin_models(base.model).ranker,
        calibration=replace(calibration, models=timid).to_json(),
    )
    store_candidate(base.home, models, "run-forced")
    publish(base.home, current.index, models, Publication("tester"))
    asked = request_training(base.home, CALIBRATION, "tester", "")
    task = begin_training(base.home, CALIBRATION, "run-train")
    learned = learn_calibration(base.home, current_release(base.database, base.tenant_id), loaded_embedder(base.model))
    result = {"models": {"calibration": learned.calibration.to_json()}, "figures": learned.figures}
    assert finish_training(base.home, task, result, "run-train")
    report = _measure(base)
    assert report.verdict.passes, report.verdict.says
    assert report.after["ece"] < report.before["ece"] and report.after["ndcg@10"] == report.before["ndcg@10"]
    assert base.release().published
    assert read_training(base.home, asked.training_id).outcome == RELEASED


def test_answers_that_people_judged_are_cases_of_the_models_that_gave_them(base: LearningBase) -> None:
    for number, thumb in ((GOLDEN, "up"), (GOLDEN + 1, "down"), (GOLDEN + 2, "")):
        answer = base.ask(number)
        if thumb:
            give_feedback(base.home, answer.answer_id, Feedback(thumb))
    current = current_release(base.database, base.tenant_id)
    assert sorted(case.answerable for case in judged_cases(base.home, current)) == [False, True]
    other = base.serve_ranker(halves_only(0.5, 0.0))
    assert judged_cases(base.home, other) == [], "their evidence was gathered in another order"
