"""The learning loop as Dagster runs: from clicks to a release, blocked, cancelled, watched and taken back."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import psutil
import pytest
from learning_base import GOLDEN, RULES, LearningBase, learning_base
from pipeline import QUIET, metadata_of

from aion_assets.core.database.engine import now
from aion_assets.core.learn import trainings
from aion_assets.core.learn.trainings import (
    BLOCKED,
    CANCELLED,
    FAILED,
    QUEUED,
    RANKER,
    RELEASED,
    change_training,
    last_trainings,
    read_training,
    request_training,
)
from aion_assets.core.learn.watch import last_look, today_of
from aion_assets.core.record.feedback import record_click
from aion_assets.core.release.models import builtin_models
from aion_assets.core.release.releases import current_release
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.settings import Settings
from aion_assets.definitions import defs
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.training import process, sensors


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    """Vectors alone serve; people click what is right."""
    with learning_base(settings) as made:
        made.label()
        made.serve_vectors_alone()
        yield made


@pytest.fixture
def instance(
    base: LearningBase, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    from aion_assets.local.foreground import dagster_home, dagster_instance

    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
    with dagster_instance() as opened:
        yield opened


def click(base: LearningBase, *, right: bool = True) -> None:
    for number in range(GOLDEN, RULES):
        answer = base.ask(number, tau=1.0)
        chosen = [item for item in answer.nearest if (item.passage.url == base.addresses[number]) == right]
        if chosen:
            record_click(base.home, answer.answer_id, chosen[0].number)


def run(instance: dg.DagsterInstance, job: str, **options: object) -> dg.ExecuteInProcessResult:
    definition = defs.resolve_job_def(job)
    return definition.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET, **options)  # type: ignore[arg-type]


def tick(instance: dg.DagsterInstance, sensor: dg.SensorDefinition, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=defs.get_repository_def())
    found = sensor(context=context, knowledge_base=KnowledgeBaseResource())
    if isinstance(found, dg.SkipReason):
        return dg.SensorResult(skip_reason=found)
    assert isinstance(found, dg.SensorResult)
    return found


def why_not(found: dg.SensorResult) -> str:
    assert isinstance(found.skip_reason, dg.SkipReason)
    return found.skip_reason.skip_message or ""


def test_clicks_become_a_release_in_one_run(base: LearningBase, instance: dg.DagsterInstance) -> None:
    click(base)
    before = current_release(base.database, base.tenant_id)
    result = run(instance, "learn_ranker")
    assert result.success
    pairs, report = metadata_of(result, "pair_dataset"), metadata_of(result, "retriever_report")
    assert pairs["origin/click"] > 20 and pairs["origin/golden"] > 0
    assert report["passes"] and report["after/ndcg@10"] > report["before/ndcg@10"]
    after = current_release(base.database, base.tenant_id)
    assert after.model_release_id == report["candidate"] != before.model_release_id
    newest = last_trainings(base.home)[0]
    assert (newest.outcome, newest.run_id) == (RELEASED, result.run_id)


def test_no_word_of_a_question_is_in_the_records_of_dagster(base: LearningBase, instance: dg.DagsterInstance) -> None:
    click(base)
    result = run(instance, "learn_ranker")
    told = " ".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert "warehouse keeper" not in told and "pallets" not in told


def test_a_blocked_candidate_fails_its_check_and_releases_nothing(
    base: LearningBase, instance: dg.DagsterInstance
) -> None:
    base.serve_ranker(Ranker.from_json(builtin_models(base.model).ranker).with_shares({}, {"again": 1}))
    before = current_release(base.database, base.tenant_id)
    click(base, right=False)
    result = run(instance, "learn_ranker")
    assert not result.success
    checks = {item.check_name: item.passed for item in result.get_asset_check_evaluations()}
    assert checks["candidate_is_better"] is False and checks["no_golden_document_is_learned"] is True
    assert checks["clicks_follow_the_texts"] is True
    assert current_release(base.database, base.tenant_id).release_id == before.release_id
    assert last_trainings(base.home)[0].outcome == BLOCKED


def test_a_cancelled_training_ends_its_trainer(
    base: LearningBase, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(base)
    asked = request_training(base.home, RANKER, "tester", "")
    started: list[psutil.Process] = []
    popen = process.subprocess.Popen

    def start(*arguments: object, **options: object) -> object:
        made = popen(*arguments, **options)  # type: ignore[call-overload]
        if "trainer" in arguments[0]:  # type: ignore[operator]
            started.append(psutil.Process(made.pid))
            change_training(base.home, asked.training_id, cancel_asked_at=now())
        return made

    monkeypatch.setattr(process.subprocess, "Popen", start)
    result = run(instance, "learn_ranker")
    assert not result.success and len(started) == 1 and not started[0].is_running()
    assert read_training(base.home, asked.training_id).state == CANCELLED


def test_the_watch_measures_first_then_starts_one_training(base: LearningBase, instance: dg.DagsterInstance) -> None:
    first = tick(instance, sensors.quality_drop_sensor)
    today = today_of(base.home)
    days = [request.partition_key for request in first.run_requests or []]
    assert days == [(today - timedelta(days=1)).isoformat(), today.isoformat()]
    for day in days:
        assert run(instance, "measure_day", partition_key=day).success
    fired = tick(instance, sensors.quality_drop_sensor)
    newest = last_trainings(base.home)[0]
    assert [request.run_key for request in fired.run_requests or []] == [newest.training_id]
    assert newest.requested_by == trainings.WATCH and "nDCG" in newest.why
    again = tick(instance, sensors.quality_drop_sensor, fired.cursor)
    assert not again.run_requests and why_not(again) == last_look(base.home)[1]


def test_what_a_person_asks_for_is_picked_up(base: LearningBase, instance: dg.DagsterInstance) -> None:
    assert not tick(instance, sensors.operator_command_sensor).run_requests
    asked = request_training(base.home, RANKER, "cli:ana", "")
    found = tick(instance, sensors.operator_command_sensor)
    assert [(request.job_name, request.run_key) for request in found.run_requests or []] == [
        ("learn_ranker", asked.training_id)
    ]
    assert read_training(base.home, asked.training_id).state == QUEUED
    assert not tick(instance, sensors.operator_command_sensor).run_requests, "once"


def test_a_training_whose_run_died_is_ended(base: LearningBase, instance: dg.DagsterInstance) -> None:
    asked = request_training(base.home, RANKER, "cli:ana", "")
    request = (tick(instance, sensors.operator_command_sensor).run_requests or [])[0]
    made = instance.create_run_for_job(defs.resolve_job_def("learn_ranker"), tags=request.tags)
    instance.report_run_failed(made)
    tick(instance, sensors.operator_command_sensor)
    ended = read_training(base.home, asked.training_id)
    assert ended.state == FAILED and "FAILURE" in ended.says
    assert request_training(base.home, RANKER, "cli:ana", "").is_active, "and the next one may start"


def test_models_that_prove_worse_are_taken_back_in_one_tick(base: LearningBase, instance: dg.DagsterInstance) -> None:
    base.serve_ranker(Ranker.from_json(builtin_models(base.model).ranker).with_shares({}, {"again": 1}))
    good = current_release(base.database, base.tenant_id)
    day = today_of(base.home).isoformat()
    assert run(instance, "measure_day", partition_key=day).success
    base.serve_vectors_alone()
    bad = current_release(base.database, base.tenant_id)
    assert bad.models.ranker != good.models.ranker
    assert run(instance, "measure_day", partition_key=day).success
    assert "Rolled back" in why_not(tick(instance, sensors.release_regression_sensor))
    assert current_release(base.database, base.tenant_id).models.text == good.models.text


def test_content_is_released_while_the_last_candidate_is_blocked(
    base: LearningBase, instance: dg.DagsterInstance
) -> None:
    condition = defs.resolve_asset_graph().get(dg.AssetKey(["serving", "release"])).automation_condition
    assert condition is not None
    found = str(condition)
    assert found.count("retriever_report") >= 2, "neither its updates nor its checks decide"


def test_the_trainer_gets_time_to_end_and_then_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_S", 0.5)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    )
    child = process.subprocess.Popen(
        [process.sys.executable, "-c", stubborn], stdout=process.subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None and child.stdout.read(1) == b"x"
    child.stdout.close()
    ending = threading.Thread(target=process.end_process, args=(child,))
    ending.start()
    ending.join(30)
    time.sleep(0)
    assert child.poll() is not None


def test_too_many_fallbacks_start_the_calibration(
    base: LearningBase, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AION_LEARN_MIN_ANSWERS", "3")
    monkeypatch.setenv("AION_TAU_NDCG", "0")
    for number in range(4):
        base.ask(GOLDEN + number, tau=1.0)
    assert run(instance, "measure_day", partition_key=today_of(base.home).isoformat()).success
    fired = tick(instance, sensors.quality_drop_sensor)
    assert [request.job_name for request in fired.run_requests or []] == ["learn_calibration"]
    assert "Fallback rate 1.000 of 4 answers" in last_look(base.home)[1]
    result = run(instance, "learn_calibration")
    newest = last_trainings(base.home)[0]
    assert newest.run_id == result.run_id and newest.outcome != "" and not newest.is_active
