"""Sensors are asked directly, with the real instance; runs of other times are entered into its records."""

import json
from typing import Any

import dagster as dg
import pytest
from pipeline import Pipeline
from sqlalchemy import select, update

from aion_assets.core.curate.decisions import REJECTED, Verdict, decide
from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.record.answers import Asked, State, open_answer
from aion_assets.core.sources.store import begin_collection, remove_source, request_collection
from aion_assets.definitions import defs
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.ops import sensors
from aion_assets.defs.serving.sensors import interactions_recorded


def tick(pipeline: Pipeline, sensor: dg.SensorDefinition, cursor: str | None = None) -> Any:
    context = dg.build_sensor_context(
        instance_ref=pipeline.instance.get_ref(),
        cursor=cursor,
        definitions=defs,
        resources={"knowledge_base": KnowledgeBaseResource()},
    )
    return sensor.evaluate_tick(context)


def enter_run(pipeline: Pipeline, request: Any, status: dg.DagsterRunStatus, job: str = "ingest") -> dg.DagsterRun:
    """A run of that request that has come to that status."""
    tags = dict(request.tags) | {"dagster/run_key": request.run_key or ""}
    if request.partition_key:
        tags["dagster/partition"] = request.partition_key
    run = pipeline.instance.create_run_for_job(defs.resolve_job_def(job), tags=tags)
    pipeline.instance.report_engine_event("entered by a test", run)
    if status == dg.DagsterRunStatus.FAILURE:
        pipeline.instance.report_run_failed(run)
    elif status == dg.DagsterRunStatus.CANCELED:
        pipeline.instance.report_run_canceled(run)
    return run


def test_a_new_source_becomes_a_partition_and_is_collected_once(pipeline: Pipeline) -> None:
    pipeline.instance.delete_dynamic_partition("sources", pipeline.source_id)
    first = tick(pipeline, sensors.source_due)
    assert [request.partition_key for request in first.run_requests] == [pipeline.source_id]
    assert first.run_requests[0].tags["aion/why"] == "never collected"
    assert [change.partition_keys for change in first.dynamic_partitions_requests] == [[pipeline.source_id]]

    enter_run(pipeline, first.run_requests[0], dg.DagsterRunStatus.NOT_STARTED)
    again = tick(pipeline, sensors.source_due)
    assert not again.run_requests, "a run is under way"
    assert pipeline.source_id in again.skip_message


def test_a_source_that_was_collected_can_be_asked_for_again(pipeline: Pipeline) -> None:
    first = tick(pipeline, sensors.source_due).run_requests[0]
    pipeline.run(**first.tags, **{"dagster/run_key": first.run_key})
    assert not tick(pipeline, sensors.source_due).run_requests
    request_collection(pipeline.database, pipeline.source_id)
    second = tick(pipeline, sensors.source_due).run_requests[0]
    assert second.run_key != first.run_key, "Dagster would take it for the run that it has done"


@pytest.mark.parametrize("failures", [1, 3])
def test_a_source_that_failed_rests_longer_each_time(
    pipeline: Pipeline, failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(failures):
        monkeypatch.setattr(sensors, "_RETRY_AFTER_S", 0)
        enter_run(pipeline, tick(pipeline, sensors.source_due).run_requests[0], dg.DagsterRunStatus.FAILURE)
    monkeypatch.setattr(sensors, "_RETRY_AFTER_S", 300)
    assert not tick(pipeline, sensors.source_due).run_requests
    now = sensors.time.time()
    monkeypatch.setattr(sensors.time, "time", lambda: now + 300 * 2 ** (failures - 1) - 5)
    assert not tick(pipeline, sensors.source_due).run_requests
    monkeypatch.setattr(sensors.time, "time", lambda: now + 300 * 2 ** (failures - 1) + 5)
    assert len(tick(pipeline, sensors.source_due).run_requests) == 1


def test_a_cancelled_collection_is_not_started_again_behind_the_operators_back(pipeline: Pipeline) -> None:
    request = tick(pipeline, sensors.source_due).run_requests[0]
    begin_collection(pipeline.database, pipeline.source_id)
    enter_run(pipeline, request, dg.DagsterRunStatus.CANCELED)
    assert not tick(pipeline, sensors.source_due).run_requests
    request_collection(pipeline.database, pipeline.source_id)  # as for a file that was sent since
    assert len(tick(pipeline, sensors.source_due).run_requests) == 1


def test_a_decision_starts_indexing_and_nothing_else(filled: Pipeline) -> None:
    assert not tick(filled, sensors.curation_decided).run_requests
    document = next(row["doc_id"] for row in filled.lake.rows("documents", ["doc_id"]))
    decide(filled.database, filled.settings.tenant_id, [document], Verdict(REJECTED, "test"))
    requests = tick(filled, sensors.curation_decided).run_requests
    assert [request.partition_key for request in requests] == [filled.source_id]
    assert not tick(filled, sensors.source_due).run_requests
    assert sensors.curation_decided.job_name == "recurate"
    filled.run("recurate")
    assert not tick(filled, sensors.curation_decided).run_requests


def test_a_change_in_a_watched_folder_makes_its_source_due(filled: Pipeline) -> None:
    cursor = tick(filled, sensors.uploads).cursor
    assert cursor and set(json.loads(cursor)) == {filled.source_id}
    assert tick(filled, sensors.uploads, cursor).cursor == cursor
    assert not tick(filled, sensors.source_due).run_requests
    (filled.folder / "novo.md").write_text("# Novo\n\nUm arquivo que chegou.\n", "utf-8")
    assert tick(filled, sensors.uploads, cursor).cursor != cursor
    assert [request.tags["aion/why"] for request in tick(filled, sensors.source_due).run_requests] == ["requested"]


def test_a_change_from_before_the_sensor_first_looked_is_noticed(filled: Pipeline) -> None:
    (filled.folder / "novo.md").write_text("# Novo\n\nUm arquivo que chegou.\n", "utf-8")
    cursor = tick(filled, sensors.uploads).cursor
    assert [request.tags["aion/why"] for request in tick(filled, sensors.source_due).run_requests] == ["requested"]
    assert tick(filled, sensors.uploads, cursor).cursor == cursor


def test_a_removed_source_is_cleaned_once_no_run_works_on_it(filled: Pipeline) -> None:
    assert not tick(filled, sensors.source_removed).run_requests
    remove_source(filled.database, filled.source_id)
    at_work = enter_run(filled, dg.RunRequest(partition_key=filled.source_id), dg.DagsterRunStatus.NOT_STARTED)
    assert not tick(filled, sensors.source_removed).run_requests
    filled.instance.report_run_canceled(at_work)
    assert len(tick(filled, sensors.source_removed).run_requests) == 1
    gone = tick(filled, sensors.source_due).dynamic_partitions_requests
    assert [type(change) for change in gone] == [dg.DeleteDynamicPartitionsRequest]
    filled.run("reindex")
    assert not tick(filled, sensors.source_removed).run_requests


def test_a_failed_run_is_among_the_events(pipeline: Pipeline) -> None:
    remove_source(pipeline.database, pipeline.source_id)
    result = pipeline.run(may_fail=True)
    assert not result.success
    event = next(event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        "run_failure",
        event,
        pipeline.instance,
        result.dagster_run,
        resources={"knowledge_base": KnowledgeBaseResource()},
    ).for_run_failure()
    sensors.run_failure(context)
    with pipeline.database.read() as connection:
        rows = connection.execute(select(tables.events.c.kind, tables.events.c.body)).all()
    assert [tuple(row) for row in rows] == [("run_failure", {"run_id": result.run_id, "job": "ingest"})]


def test_what_the_server_recorded_is_told_once_and_without_a_word_of_it(filled: Pipeline) -> None:
    first = tick(filled, interactions_recorded)
    assert told(first, "chat_api")["release_id"] == filled.release_id
    counted = told(first, "interactions")
    assert counted.pop("latest_decision") and counted == {"answers": 0, "abstentions": 0, "decisions/approved": 4}
    assert not tick(filled, interactions_recorded, first.cursor).asset_events

    asked = Asked("Uma pergunta?", filled.release_id or "", "extractive-1")
    for state in (State.COMPLETE, State.COMPLETE, State.ABSTAINED):
        this = tables.answers.c.answer_id == open_answer(filled.database, filled.settings.tenant_id, asked)
        with filled.database.write() as connection:
            closed = {"state": state, "engine": "extractive", "text": "Uma resposta.", "closed_at": now()}
            connection.execute(update(tables.answers).where(this).values(**closed))
    second = tick(filled, interactions_recorded, first.cursor)
    assert told(second, "interactions") | {"answers": 3, "abstentions": 1, "abstention_rate": 0.3333} == told(
        second, "interactions"
    )
    assert told(second, "chat_api")["answered_from"] == filled.release_id
    assert "Uma" not in str(second.asset_events)


def told(result: Any, asset: str) -> dict[str, Any]:
    (event,) = [event for event in result.asset_events if event.asset_key.path[-1] == asset]
    return {name: value.value for name, value in event.metadata.items()}
