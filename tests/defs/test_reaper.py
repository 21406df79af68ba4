import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import dagster as dg
from pipeline import Pipeline, metadata_of
from slow_site import SlowSite

from aion_assets.defs.ops.reaper import HOST_TAG, PROCESS_TAG, process_tags, reap_dead_runs

_RUN_DUE = [sys.executable, "-c", "from aion_assets.local.foreground import run_due; run_due(quiet=True)"]


def wait_for(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


def test_a_killed_run_is_ended_and_the_next_one_finishes_its_work(pipeline: Pipeline, slow_site: SlowSite) -> None:
    from aion_assets.core.sources.store import pause_source

    pause_source(pipeline.database, pipeline.source_id, paused=True)
    site = pipeline.add_source(slow_site.root, name="site")
    worker = subprocess.Popen(_RUN_DUE, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for(lambda: slow_site.served >= 2)
        assert reap_dead_runs(pipeline.instance) == [], "its process lives"
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    (run,) = pipeline.instance.get_runs()
    assert run.status == dg.DagsterRunStatus.STARTED, "a killed process tells nobody"

    elsewhere = pipeline.instance.run_storage
    elsewhere.add_run_tags(run.run_id, {HOST_TAG: "another-machine"})
    assert reap_dead_runs(pipeline.instance) == [], "process numbers of another machine say nothing here"
    elsewhere.add_run_tags(run.run_id, {HOST_TAG: os.uname().nodename})
    assert reap_dead_runs(pipeline.instance) == [run.run_id]
    ended = pipeline.instance.get_run_by_id(run.run_id)
    assert ended is not None and ended.status == dg.DagsterRunStatus.FAILURE
    assert reap_dead_runs(pipeline.instance) == []

    slow_site.pause_s = 0.0
    result = pipeline.run(source_id=site)
    assert metadata_of(result, "crawled_pages")["dagster/row_count"] == slow_site.pages
    assert metadata_of(result, "release")["published"]


def test_a_run_killed_before_it_began_is_ended_and_not_one_that_only_copies_its_tags(pipeline: Pipeline) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    tags = process_tags() | {PROCESS_TAG: str(gone.pid)}

    def made(tags: dict[str, str], parent: dg.DagsterRun | None = None) -> dg.DagsterRun:
        origin = {"parent_run_id": parent.run_id, "root_run_id": parent.run_id} if parent else {}
        return pipeline.instance.add_run(dg.DagsterRun(job_name="ingest", tags=tags, **origin))

    alive, waiting, killed = made(process_tags()), made({}), made(tags)
    again = made(tags, parent=killed)
    assert reap_dead_runs(pipeline.instance) == [killed.run_id]
    unfinished = [run.run_id for run in pipeline.instance.get_runs() if not run.is_finished]
    assert set(unfinished) == {alive.run_id, waiting.run_id, again.run_id}
