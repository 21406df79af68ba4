"""End runs whose process is gone. A killed process reports nothing, and its run would seem to go on for ever."""

import os
import socket
import time

import dagster as dg
import psutil

# The machine of a run's process number. Without the tag, the daemon of this machine launched the run.
HOST_TAG = "aion/host"
# The process of a run without a launcher: 'aion run' creates and executes its runs itself.
PROCESS_TAG = "aion/process"
# A process that started so much later than the run's event merely got the same number.
_CLOCK_SLACK_S = 5.0
# A run that is queued or being launched names no process yet and is skipped.
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_tags() -> dict[str, str]:
    """Tags for a run that this process executes itself."""
    return {HOST_TAG: socket.gethostname(), PROCESS_TAG: str(os.getpid())}


def reap_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End the dead runs and return their ids. Only runs of this machine that name their process are touched."""
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []  # its workers run elsewhere, and such a launcher watches them itself
    reaped = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED), limit=100):
        run = record.dagster_run
        if run.tags.get(HOST_TAG, socket.gethostname()) != socket.gethostname():
            continue
        process = _process_of(instance, record)
        if process is not None and not _is_alive(*process):
            if run.status == dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, "Its process is gone.")
            else:
                instance.report_run_failed(run, f"Its process {process[0]} is gone; the next run finishes its work.")
            reaped.append(run.run_id)
    return reaped


def _process_of(instance: dg.DagsterInstance, record: dg.RunRecord) -> tuple[int, float] | None:
    """(pid, time) from the run's tags, or from the newest event in which it names its process."""
    run = record.dagster_run
    # Re-executing a run in the UI copies its tags.
    if PROCESS_TAG in run.tags and run.parent_run_id is None:
        return int(run.tags[PROCESS_TAG]), record.create_timestamp.timestamp()
    found = None
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        metadata = getattr(entry.get_dagster_event().event_specific_data, "metadata", {})
        if "pid" in metadata:
            found = (int(metadata["pid"].value), entry.timestamp)
    return found


def _is_alive(pid: int, seen_at: float) -> bool:
    try:
        process = psutil.Process(pid)
        started_at: float = process.create_time()
        return process.status() != psutil.STATUS_ZOMBIE and started_at <= min(seen_at + _CLOCK_SLACK_S, time.time())
    except psutil.NoSuchProcess:
        return False
