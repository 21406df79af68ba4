"""`python -m trainer`: alone in its home, whole or nothing, and gone with its parent."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from learning_base import LearningBase, learning_base

from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.release.releases import current_release
from aion_assets.core.settings import Settings

_BUSY = 3


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        made.label()
        made.serve_vectors_alone()
        made.click_what_is_right()
        build_pairs(made.home)
        yield made


def _command(base: LearningBase, folder: Path) -> list[str]:
    request = {"release_id": current_release(base.database, base.tenant_id).release_id}
    (folder / "request.json").write_text(json.dumps(request), "utf-8")
    return [sys.executable, "-m", "trainer", "ranker", str(folder / "request.json"), str(folder / "result.json")]


def test_the_same_pairs_teach_the_same_order(base: LearningBase, tmp_path: Path) -> None:
    results = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        done = subprocess.run(_command(base, tmp_path / name), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        results.append((tmp_path / name / "result.json").read_bytes())
    assert results[0] == results[1]
    learned = json.loads(results[0])
    assert learned["models"]["ranker"]["weights"]["en"]["dense"] < 0.95, "the rules are told apart by their words"
    assert json.loads(done.stdout.splitlines()[-1])["step"] == learned["figures"]["lists"]


def test_a_second_trainer_of_a_home_is_refused(base: LearningBase, tmp_path: Path) -> None:
    (base.settings.home / "training").mkdir()
    with FileLock(base.settings.home / "training" / ".trainer.lock"):
        done = subprocess.run(_command(base, tmp_path), capture_output=True, text=True)
    assert done.returncode == _BUSY and not (tmp_path / "result.json").exists()


_PARENT = """
import os, subprocess, sys
child = subprocess.Popen([*sys.argv[1:], "--parent", str(os.getpid())], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def test_it_is_gone_when_its_parent_is_killed(base: LearningBase, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PARENT, *_command(base, tmp_path)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.stdout.close()
    while child.is_running() and not Path(f"/proc/{child.pid}/cmdline").read_text().count("trainer"):
        time.sleep(0.01)
    lock = base.settings.home / "training" / ".trainer.lock"
    deadline = time.monotonic() + 60
    while not lock.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not (tmp_path / "result.json").exists()
