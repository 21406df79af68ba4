"""Ends runs whose process is gone: a killed process tells nobody, and its run would stay 'started' for ever."""

import socket
import time

import dagster as dg
import psutil

# Which machine's process numbers a run speaks of; a run without it was launched here, by the daemon.
HOST_TAG = "aion/host"
# A process that started this much after the run's event has only inherited the number.
_CLOCK_SLACK_S = 5.0


def host_tags() -> dict[str, str]:
    return {HOST_TAG: socket.gethostname()}


def reap_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Ids of the runs that were ended. Only runs of this machine that name their process are touched."""
    if not isinstance(instance.run_launcher, dg.DefaultRunLauncher):
        return []  # its workers run elsewhere, and such launchers watch over their own
    reaped = []
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    for run in instance.get_runs(started, limit=100):
        if run.tags.get(HOST_TAG, socket.gethostname()) != socket.gethostname():
            continue
        process = _process_of(instance, run.run_id)
        if process is not None and not _is_alive(*process):
            if run.status == dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, "Its process is gone.")
            else:
                instance.report_run_failed(run, f"Its process {process[0]} is gone; the next run finishes its work.")
            reaped.append(run.run_id)
    return reaped


def _process_of(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """(pid, time) of the newest event in which the run names its process."""
    found = None
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
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
