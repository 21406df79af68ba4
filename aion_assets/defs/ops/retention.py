"""Delete old runs, which Dagster itself never does, but no run that made the newest state of an asset."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

KEPT_DAYS = 30
_IDS_PER_QUERY = 500
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class PruningConfig(dg.Config):
    kept_days: float = KEPT_DAYS


@dg.op
def old_runs(context: dg.OpExecutionContext, config: PruningConfig) -> None:
    """Deletes runs that ended long ago, with their events and logs."""
    context.log.info(f"{prune_runs(context.instance, timedelta(days=config.kept_days))} runs deleted.")


@dg.job(executor_def=dg.in_process_executor)
def old_runs_pruned() -> None:
    """Delete old runs; the newest state of every asset and source stays."""
    old_runs()


def nightly(timezone: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="nightly",
        job=old_runs_pruned,
        cron_schedule="30 3 * * *",
        execution_timezone=timezone,
        description=f"Deletes what ended more than {KEPT_DAYS} days ago.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def prune_runs(instance: dg.DagsterInstance, kept: timedelta) -> int:
    """Delete old runs and return how many."""
    from dagster._core.storage.event_log import SqliteEventLogStorage

    ended = dg.RunsFilter(statuses=_FINISHED, updated_before=datetime.now(UTC) - kept)
    old = set(instance.get_run_ids(ended)) - set(_runs_in_use(instance))
    for run_id in old:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        storage = instance.event_log_storage
        if isinstance(storage, SqliteEventLogStorage):  # it keeps a file for each run and does not delete it
            Path(storage.path_for_shard(run_id)).unlink(missing_ok=True)
    return len(old)


def _runs_in_use(instance: dg.DagsterInstance) -> Iterator[str]:
    """The runs that made the newest materialization of each asset and each of its partitions."""
    storage = instance.event_log_storage
    for key in instance.all_asset_keys():
        newest = instance.get_latest_materialization_event(key)
        if newest is not None:
            yield newest.run_id
        of_partitions = storage.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
        ids = list(of_partitions.values())
        for begin in range(0, len(ids), _IDS_PER_QUERY):
            some = ids[begin : begin + _IDS_PER_QUERY]
            found = instance.fetch_materializations(dg.AssetRecordsFilter(key, storage_ids=some), limit=len(some))
            yield from (record.run_id for record in found.records)
