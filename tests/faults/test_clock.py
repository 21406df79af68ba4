"""An installation that is left alone for weeks goes on where it was."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import CountingSite
from victim import DRIVER, Victim, fill

from aion_assets.core.release import releases
from aion_assets.core.sources.store import request_collection

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
