"""Ends runs whose process is gone: a killed process tells nobody, and its run would seem to go on for ever."""

import os
import socket
import time

import dagster as dg
import psutil

# Which machine's process numbers a run speaks of; a run without it was launched here, by the daemon.
HOST_TAG = "aion/host"
# The process of a run that nobody launched: 'aion run' makes its runs and carries them out itself.
PROCESS_TAG = "aion/process"
# A process that started this much after the run's event has only inherited the number.
_CLOCK_SLACK_S = 5.0
# A run that waits in the queue or is being launched names no process yet and is passed over.
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def process_tags() -> dict[str, str]:
    """Of a run that this process carries out itself."""
    return {HOST_TAG: socket.gethostname(), PROCESS_TAG: str(os.getpid())}


def reap_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Ids of the runs that were ended. Only runs of this machine that name their process are touched."""
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []  # its workers run elsewhere, and such launchers watch over their own
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
    """(pid, time): what the run's tags say, or the newest event in which it names its process."""
    run = record.dagster_run
    # Who executes a run again in the UI copies its tags.
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
