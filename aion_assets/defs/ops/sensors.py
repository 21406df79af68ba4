"""Sensors that start runs, and one that cleans up after dead runs."""

import json
import time
from collections.abc import Iterator, Sequence
from itertools import takewhile

import dagster as dg

from aion_assets.core.record.events import RunFailureEvent, record_event
from aion_assets.core.sources.due import INGEST, RECURATE, DueRun, due_runs, folder_signatures, touched_sources
from aion_assets.core.sources.state import DAY_S
from aion_assets.core.sources.store import list_sources, removed_sources, request_collection
from aion_assets.defs.automation import CARRIES_ON
from aion_assets.defs.corpus.assets import pipeline_version
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.ops.jobs import ingest, planned_assets, recurate, reindex
from aion_assets.defs.ops.reaper import reap_dead_runs
from aion_assets.defs.partitions import source_partitions

_PARTITION_TAG, _RUN_KEY_TAG = "dagster/partition", "dagster/run_key"
_SOURCES_INTERVAL_S = 15
_DECISIONS_INTERVAL_S = 5
_REAPER_INTERVAL_S = 30
# A source whose run failed is tried again after this pause. Each further failure doubles it.
_RETRY_AFTER_S = 300
_MOST_TRIES = 10
_NOTHING = "Nothing is due."
_PartitionChange = dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _busy(instance: dg.DagsterInstance) -> set[str]:
    """The sources that unfinished runs work on; "" for a run over all sources."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED), limit=1000)
    return {run.tags.get(_PARTITION_TAG, "") for run in runs}


def _requests(
    context: dg.SensorEvaluationContext, kb: KnowledgeBaseResource, kind: str, changes: Sequence[_PartitionChange] = ()
) -> dg.SensorResult:
    busy = _busy(context.instance)
    wanted: list[dg.RunRequest] = []
    waiting = []
    for due in due_runs(kb.database, kb.settings, pipeline_version(kb)):
        if due.job == kind:
            of_source = dg.RunsFilter(tags={_PARTITION_TAG: due.source_id})
            asked = [] if due.source_id in busy else list(_request(context, due, of_source))
            wanted += asked
            waiting += [] if asked else [due.source_id]
    return _result(wanted, waiting, changes)


def _request(context: dg.SensorEvaluationContext, due: DueRun, same_subject: dg.RunsFilter) -> Iterator[dg.RunRequest]:
    """At most one request; none while the work rests."""
    earlier = context.instance.get_run_records(same_subject, limit=_MOST_TRIES)
    if _rests(due, earlier) or context.repository_def is None:
        return
    yield dg.RunRequest(
        # The key names the run before, so that the same work can be requested again once that run has ended.
        run_key=f"{due.key}/{earlier[0].dagster_run.run_id if earlier else ''}",
        partition_key=due.source_id or None,
        asset_selection=planned_assets(context.repository_def.get_job(due.job)),
        tags={"aion/why": due.why} | CARRIES_ON,
    )


def _result(
    wanted: Sequence[dg.RunRequest], waiting: Sequence[str] = (), changes: Sequence[_PartitionChange] = ()
) -> dg.SensorResult:
    why_not = f"Due after a run under way, or after a rest: {', '.join(waiting)}." if waiting else _NOTHING
    return dg.SensorResult(wanted, None if wanted else why_not, dynamic_partitions_requests=changes)


def _rests(due: DueRun, earlier: Sequence[dg.RunRecord]) -> bool:
    """Whether the work waits: after a person cancelled it, unless requested since, and ever longer after failures."""
    if not earlier or (ended := earlier[0].end_time) is None:
        return False
    age_s = time.time() - ended
    if earlier[0].dagster_run.status == dg.DagsterRunStatus.CANCELED:
        asked_since = due.asked_at is not None and due.asked_at.timestamp() > ended
        return not asked_since and age_s < (DAY_S if due.why == "unfinished" else _RETRY_AFTER_S)
    failures = list(takewhile(lambda record: _failed_at(record.dagster_run, due), earlier))
    return bool(failures) and age_s < min(_RETRY_AFTER_S * 2 ** (len(failures) - 1), DAY_S)


def _failed_at(run: dg.DagsterRun, due: DueRun) -> bool:
    same_work = run.tags.get(_RUN_KEY_TAG, "").rpartition("/")[0] == due.key
    return same_work and run.status == dg.DagsterRunStatus.FAILURE


def _partition_changes(context: dg.SensorEvaluationContext, kb: KnowledgeBaseResource) -> list[_PartitionChange]:
    wanted = {state.source.source_id for state in list_sources(kb.database, kb.settings)}
    known = set(context.instance.get_dynamic_partitions(str(source_partitions.name)))
    changes: list[_PartitionChange] = []
    if wanted - known:
        changes.append(source_partitions.build_add_request(sorted(wanted - known)))
    if known - wanted:
        changes.append(source_partitions.build_delete_request(sorted(known - wanted)))
    return changes


def _forget_evaluations_of_gone_partitions(context: dg.SensorEvaluationContext, known: set[str]) -> None:
    """Purge evaluations once a partition is gone: Dagster shows none of an asset's while one of them names it."""
    storage = context.instance.schedule_storage
    if storage is not None and not known.issuperset(json.loads(context.cursor or "[]")):
        storage.purge_asset_evaluations(time.time())
    context.update_cursor(json.dumps(sorted(known)))


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=_SOURCES_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Collects the sources that are new, scheduled, changed by a new pipeline, or left unfinished.",
)
def source_due(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SensorResult:
    kb = knowledge_base
    known = context.instance.get_dynamic_partitions(str(source_partitions.name))
    _forget_evaluations_of_gone_partitions(context, set(known))
    return _requests(context, kb, INGEST, _partition_changes(context, kb))


@dg.sensor(
    job=recurate,
    minimum_interval_seconds=_DECISIONS_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Indexes what was approved and takes out what was rejected.",
)
def curation_decided(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SensorResult:
    return _requests(context, knowledge_base, RECURATE)


@dg.sensor(
    job=reindex,
    minimum_interval_seconds=_SOURCES_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes the rows of removed sources out of index and tables, once no run works on them any more.",
)
def source_removed(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SensorResult:
    removed = sorted(removed_sources(knowledge_base.database, knowledge_base.settings))
    if not removed or not _busy(context.instance).isdisjoint({*removed, ""}):
        return dg.SensorResult(skip_reason=f"Waiting for runs before {', '.join(removed)}." if removed else _NOTHING)
    due = DueRun(reindex.name, "", "source removed", f"clean/{'/'.join(removed)}")
    return _result(list(_request(context, due, dg.RunsFilter(job_name=reindex.name))), removed)


@dg.sensor(
    minimum_interval_seconds=_SOURCES_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Notices files that came, went or changed in watched folders and uploads, and makes their source due.",
)
def uploads(context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource) -> dg.SkipReason:
    kb = knowledge_base
    now_there = folder_signatures(kb.database, kb.settings)
    seen = {
        source: signature for source, signature in json.loads(context.cursor or "{}").items() if source in now_there
    }
    unseen = now_there.keys() - seen.keys()
    touched = touched_sources(kb.database, kb.settings) if unseen else frozenset()
    changed = []
    for source_id, signature in now_there.items():
        # A file that came before this sensor first looked may still have come after the collection.
        if seen.setdefault(source_id, signature) != signature or (source_id in unseen and source_id in touched):
            request_collection(kb.database, source_id)
            seen[source_id] = signature
            changed.append(source_id)
    context.update_cursor(json.dumps(seen))
    return dg.SkipReason(f"Changed: {', '.join(changed)}." if changed else "Nothing changed.")


@dg.sensor(
    minimum_interval_seconds=_REAPER_INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process died without a word, so that they hold no place in the queue.",
)
def zombie_reaper(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    reaped = reap_dead_runs(context.instance)
    return dg.SkipReason(f"{len(reaped)} dead runs ended." if reaped else "No dead runs.")


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Records a failed run among AION's events, where metrics and pages see it.",
)
def run_failure(context: dg.RunFailureSensorContext, knowledge_base: KnowledgeBaseResource) -> None:
    run = context.dagster_run
    with knowledge_base.database.write() as connection:
        record_event(connection, knowledge_base.settings.tenant_id, RunFailureEvent(run.run_id, run.job_name))
