"""What starts runs by itself, and what cleans up after runs that died."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from aion_assets.core.due import INGEST, RECURATE, DueRun, due_runs, folder_signatures
from aion_assets.core.sources import list_sources, request_collection
from aion_assets.defs.corpus.assets import pipeline_version
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.ops.jobs import ingest, recurate
from aion_assets.defs.ops.reaper import reap_dead_runs
from aion_assets.defs.partitions import source_partitions

_SOURCES_INTERVAL_S = 15
_DECISIONS_INTERVAL_S = 5
_REAPER_INTERVAL_S = 30
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _requests(context: dg.SensorEvaluationContext, kb: KnowledgeBaseResource, kind: str) -> Iterator[dg.RunRequest]:
    """Runs for the due sources that no unfinished run is working on."""
    busy = {
        run.tags.get("dagster/partition")
        for run in context.instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED), limit=1000)
    }
    for due in due_runs(kb.database, kb.settings, pipeline_version(kb)):
        if due.job == kind and due.source_id not in busy:
            yield _request(due)


def _request(due: DueRun) -> dg.RunRequest:
    return dg.RunRequest(run_key=due.key, partition_key=due.source_id, tags={"aion/why": due.why})


def _register(context: dg.SensorEvaluationContext, kb: KnowledgeBaseResource) -> list[dg.AddDynamicPartitionsRequest]:
    wanted = [state.source.source_id for state in list_sources(kb.database, kb.settings)]
    known = set(context.instance.get_dynamic_partitions(str(source_partitions.name)))
    missing = [source for source in wanted if source not in known]
    return [source_partitions.build_add_request(missing)] if missing else []


@dg.sensor(job=ingest, minimum_interval_seconds=_SOURCES_INTERVAL_S, default_status=dg.DefaultSensorStatus.RUNNING)
def source_due(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SensorResult:
    """Collects the sources that are new, scheduled, changed by a new pipeline, or left unfinished."""
    kb = knowledge_base
    requests = list(_requests(context, kb, INGEST))
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=_register(context, kb))


@dg.sensor(job=recurate, minimum_interval_seconds=_DECISIONS_INTERVAL_S, default_status=dg.DefaultSensorStatus.RUNNING)
def curation_decided(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SensorResult:
    """Indexes what was approved and takes out what was rejected."""
    return dg.SensorResult(run_requests=list(_requests(context, knowledge_base, RECURATE)))


@dg.sensor(minimum_interval_seconds=_SOURCES_INTERVAL_S, default_status=dg.DefaultSensorStatus.RUNNING)
def uploads(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SkipReason:
    """Notices files that came, went or changed in watched folders and uploads, and makes their source due."""
    kb = knowledge_base
    seen = json.loads(context.cursor or "{}")
    now_there = folder_signatures(kb.database, kb.settings)
    changed = [source for source, signature in now_there.items() if seen.get(source, signature) != signature]
    for source_id in changed:
        request_collection(kb.database, source_id)
    context.update_cursor(json.dumps(now_there))
    return dg.SkipReason(f"Changed: {', '.join(changed)}." if changed else "Nothing changed.")


@dg.sensor(minimum_interval_seconds=_REAPER_INTERVAL_S, default_status=dg.DefaultSensorStatus.RUNNING)
def zombie_reaper(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Ends runs whose process died without a word, so that they hold no place in the queue."""
    reaped = reap_dead_runs(context.instance)
    return dg.SkipReason(f"{len(reaped)} dead runs ended." if reaped else "No dead runs.")


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def run_failure(context: dg.RunFailureSensorContext, knowledge_base: KnowledgeBaseResource) -> None:
    """Records a failed run among AION's events, where metrics and pages see it."""
    from sqlalchemy import insert

    from aion_assets.core.schema import events

    body = {"run_id": context.dagster_run.run_id, "job": context.dagster_run.job_name}
    with knowledge_base.database.write() as connection:
        connection.execute(
            insert(events).values(
                tenant_id=knowledge_base.settings.tenant_id,
                kind="run_failure",
                created_at=datetime.now(UTC),
                body=body,
            )
        )
