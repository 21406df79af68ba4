"""An installation that is left alone for weeks goes on where it was."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from loopback import CountingSite
from victim import DRIVER, Victim, fill
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED, REJECTED, Verdict, decide, decisions_of
from aion_assets.core.database import engine
from aion_assets.core.errors import AionError
from aion_assets.core.learn.reports import RETRIEVAL, newest_report, store_report
from aion_assets.core.release import releases
from aion_assets.core.release.rollback import models_before, release_before
from aion_assets.core.settings import Settings
from aion_assets.core.sources.due import due_runs
from aion_assets.core.sources.store import begin_collection, finish_collection, get_source, request_collection

_LATER_CLOCK = """
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t which, struct timespec *found) {
    int status = syscall(SYS_clock_gettime, which, found);
    if (which == CLOCK_REALTIME) found->tv_sec += atol(getenv("CLOCK_AHEAD_S"));
    return status;
}
"""


@pytest.fixture
def later_clock(tmp_path: Path) -> Path:
    """A library that moves a process's clock ahead: Lance reads the time itself, out of Python's reach."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("moving a process's clock needs Linux and a C compiler")
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(_LATER_CLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


def test_a_release_older_than_a_week_does_not_stop_the_next_one(
    victim: Victim, site: CountingSite, later_clock: Path
) -> None:
    """Lance cleans versions older than seven days whenever it optimizes, and fails where a tag holds one of them."""
    fill(site, count=4)
    assert victim.run() == 0
    first = releases.current_release_id(victim.bench.database, victim.bench.tenant_id)
    fill(site, "second", count=5)
    request_collection(victim.bench.database, victim.source.source_id)
    weeks_later = {"LD_PRELOAD": str(later_clock), "CLOCK_AHEAD_S": str(30 * 86_400)}
    environment = os.environ | {"AION_HOME": str(victim.bench.settings.home)} | weeks_later
    done = subprocess.run([sys.executable, str(DRIVER)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert releases.current_release_id(victim.bench.database, victim.bench.tenant_id) != first
    assert victim.bench.found("what the second almanac says of granite")[0] == "granite"


@pytest.fixture
def bench(settings: Settings) -> Workbench:
    return Workbench(settings)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets the clock of this process so far from the true one, wherever AION reads it for its database."""
    real, ahead = engine.now, [timedelta()]
    readers = [
        module
        for name, module in [*sys.modules.items()]
        if name.startswith("aion_") and isinstance(module, ModuleType) and getattr(module, "now", None) is real
    ]
    assert len(readers) > 5

    def now() -> datetime:
        return real() + ahead[0]

    for module in readers:
        monkeypatch.setattr(module, "now", now)
    return lambda by: ahead.__setitem__(0, by)


DAY, NONE = timedelta(days=1), timedelta()


def test_the_newer_decision_holds_though_the_clock_was_set_back(
    bench: Workbench, tmp_path: Path, clock: Callable[[timedelta], None]
) -> None:
    folder = write_files(tmp_path / "f", a_md=article("lavender", 3), b_md=article("bicycles", 3))
    source = bench.add(folder)
    bench.run(source)
    lavender = bench.docs(source)["a.md"]
    clock(DAY)
    bench.decide(REJECTED, lavender)
    assert bench.found("lavender handbook") == ["b.md"]
    clock(NONE)
    bench.decide(APPROVED, lavender)
    bench.run(source)
    assert bench.found("lavender handbook")[0] == "a.md"
    clock(-DAY)
    bench.decide(REJECTED, lavender)
    assert bench.found("lavender handbook") == ["b.md"]
    (folder / "a.md").rename(folder / "renamed.md")
    clock(-2 * DAY)
    bench.run(source)
    assert bench.found("lavender handbook") == ["b.md"], "the newest decision moved with the file"


def test_of_two_vanished_copies_the_newer_decision_is_taken_over(
    bench: Workbench, tmp_path: Path, clock: Callable[[timedelta], None]
) -> None:
    folder = write_files(tmp_path / "f", a_md=article("tea", 3), b_md=article("tea", 3))
    source = bench.add(folder, auto_approve=False)
    bench.to_chunks(source)
    docs = bench.docs(source)
    clock(DAY)
    decide(bench.database, bench.tenant_id, [docs["b.md"]], Verdict(APPROVED, "ana"))
    clock(NONE)
    decide(bench.database, bench.tenant_id, [docs["a.md"]], Verdict(REJECTED, "ana"))
    for name in ("a.md", "b.md"):
        (folder / name).unlink()
    write_files(folder, c_md=article("tea", 3))
    bench.to_chunks(source)
    taken = decisions_of(bench.database, source.source_id)[bench.docs(source)["c.md"]]
    assert (taken.state, taken.decided_by) == (REJECTED, "ana")


def test_what_is_released_after_the_clock_was_set_back_is_newer_all_the_same(
    bench: Workbench, tmp_path: Path, clock: Callable[[timedelta], None]
) -> None:
    folder = write_files(tmp_path / "f", a_md=article("lavender", 3))
    source = bench.add(folder)
    clock(DAY)
    bench.run(source)
    first = releases.current_release_id(bench.database, bench.tenant_id)
    clock(NONE)
    write_files(folder, b_md=article("bicycles", 3))
    bench.run(source)
    second = releases.current_release_id(bench.database, bench.tenant_id)
    assert bench.found("handbook of bicycles")[0] == "b.md"
    assert [row.release_id for row in releases.list_releases(bench.database, bench.tenant_id)] == [second, first]
    assert release_before(bench.home) == first
    with pytest.raises(AionError):
        models_before(bench.home)
    store_report(bench.home, RETRIEVAL, "subject", {"n": 1})
    clock(-DAY)
    store_report(bench.home, RETRIEVAL, "subject", {"n": 2})
    newest = newest_report(bench.home, RETRIEVAL, "subject")
    assert newest is not None and newest.body == {"n": 2}


def test_a_request_during_a_collection_is_not_lost_when_the_clock_is_set_back(
    bench: Workbench, tmp_path: Path, clock: Callable[[timedelta], None]
) -> None:
    source = bench.add(write_files(tmp_path / "f", a_md="# A\n\nText."), schedule_s=3600)
    begin_collection(bench.database, source.source_id)
    clock(-DAY)
    request_collection(bench.database, source.source_id)
    finish_collection(bench.database, source.source_id)
    assert get_source(bench.database, bench.settings, source.source_id).due == "requested"
    clock(-2 * DAY)
    begin_collection(bench.database, source.source_id)
    finish_collection(bench.database, source.source_id)
    assert get_source(bench.database, bench.settings, source.source_id).due == "changes", "it was answered"


def test_a_source_that_was_collected_in_the_future_is_due(
    bench: Workbench, tmp_path: Path, clock: Callable[[timedelta], None]
) -> None:
    source = bench.add(write_files(tmp_path / "f", a_md=article("lavender", 3)), schedule_s=3600)
    clock(30 * DAY)
    bench.run(source)
    assert bench.due(source) == ""
    clock(NONE)
    assert bench.due(source) == "scheduled"
    assert due_runs(bench.database, bench.settings, "code-1", look_into_folders=True)
