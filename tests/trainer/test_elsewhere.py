"""A training that another machine does: handed out and taken up through an object store, by S3's interface."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from small_llama import small_llama

from aion_assets.core.errors import TrainingDataError, TrainingStoreError
from trainer.adapters import Adapters
from trainer.base_model import load_base_model
from trainer.elsewhere import Worker, hand_out
from trainer.sft import SftConfig, train_adapter
from trainer.training_store import CANCELLED, JOB, PROGRESS, Job, TrainingStore

ROWS = [
    [{"role": "user", "content": f"the sea {number}"}, {"role": "assistant", "content": "blue waves"}]
    for number in range(8)
]
CONFIG = SftConfig(rank=4, learning_rate=2e-3, epochs=20, batch_tokens=96, accumulation=1, checkpoint_every=3)
# Works in a process of its own, as on another machine.
_MACHINE = """
import sys
from pathlib import Path
from trainer.elsewhere import Worker
from trainer.training_store import TrainingStore
Worker(TrainingStore(sys.argv[1]), Path(sys.argv[2]), print).work(once=True)
"""


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_llama(tmp_path_factory.mktemp("elsewhere") / "llama")


@pytest.fixture
def location(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    endpoint = "http://127.0.0.1:{1}".format(*server.get_host_and_port())
    httpx.put(f"{endpoint}/trainings").raise_for_status()
    said = {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "REGION": "us-east-1", "ENDPOINT": endpoint}
    for name, value in said.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    yield "s3://trainings/aion"
    server.stop()


class Handed:
    """A job that is handed out in a thread, and what came of it."""

    def __init__(self, location: str, job: Job, adapters: Path) -> None:
        self.told: list[tuple[int, int, str]] = []
        self.result: dict[str, object] = {}
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(location, job, adapters))
        self._thread.start()

    def _run(self, location: str, job: Job, adapters: Path) -> None:
        try:
            self.result = dict(hand_out(TrainingStore(location), job, adapters, lambda *news: self.told.append(news)))
        except Exception as error:
            self.error = error

    def wait(self) -> None:
        self._thread.join(240)
        assert not self._thread.is_alive()


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 240
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def machine(location: str, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", _MACHINE, location, str(folder)], stdout=subprocess.DEVNULL)


def test_a_machine_that_is_killed_leaves_its_work_to_the_next_one_and_the_adapter_is_the_same(
    location: str, llama: Path, tmp_path: Path
) -> None:
    job = Job(str(llama), False, asdict(CONFIG), ROWS)
    handed = Handed(location, job, tmp_path / "adapters")
    store = TrainingStore(location)
    wait_for(lambda: handed.told)
    assert handed.told[0][2] == f"waits for a machine: aion train work {location}"
    first = machine(location, tmp_path / "first")
    wait_for(lambda: (store.read(f"{job.job_id}/{PROGRESS}") or {"step": 0})["step"] > 2 * CONFIG.checkpoint_every)
    first.send_signal(signal.SIGKILL)
    first.wait()
    reached = (store.read(f"{job.job_id}/{PROGRESS}") or {})["step"]
    shutil.rmtree(tmp_path / "first")
    said: list[str] = []
    Worker(store, tmp_path / "second", said.append, patience_s=1.0).work(once=True)
    handed.wait()
    assert handed.error is None
    begun = int(said[1].split("step ")[1].split(" of ")[0])
    assert 1 < begun <= reached + 1, "it went on from a checkpoint that the first one sent"
    whole = train_adapter(load_base_model(str(llama)), ROWS, CONFIG, tmp_path / "whole")
    assert handed.result["digest"] == whole.record.digest
    assert Adapters(load_base_model(str(llama))).load(tmp_path / "adapters" / whole.record.digest[:16])
    assert store.names() == [], "the texts of the rows are not left there"


def test_a_machine_that_cannot_train_says_why_and_what_is_no_job_is_left_alone(llama: Path, tmp_path: Path) -> None:
    location = str(tmp_path / "store")
    letter = tmp_path / "store" / "documents" / "letter.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text("Dear all")
    handed = Handed(location, Job(str(tmp_path / "nowhere"), False, asdict(CONFIG), ROWS), tmp_path / "adapters")
    wait_for(lambda: handed.told)
    Worker(TrainingStore(location), tmp_path / "work", print).work(once=True)
    handed.wait()
    assert isinstance(handed.error, TrainingDataError) and "nowhere" in str(handed.error)
    again = Handed(location, Job(str(tmp_path / "nowhere"), False, asdict(CONFIG), ROWS), tmp_path / "adapters")
    wait_for(lambda: again.told)
    Worker(TrainingStore(location), tmp_path / "work", print, base_model=str(llama)).work(once=True)
    again.wait()
    assert again.error is None, "a model of that machine takes the place of the one that is named"
    assert letter.read_text() == "Dear all" and TrainingStore(location).names() == ["documents"]


def test_a_cancelled_job_is_left_and_its_texts_are_gone(llama: Path, tmp_path: Path) -> None:
    location = str(tmp_path / "store")
    slow = SftConfig(**{**asdict(CONFIG), "epochs": 2000})
    job = Job(str(llama), False, asdict(slow), ROWS)
    script = f"""
import json, signal, sys
from pathlib import Path
from trainer.elsewhere import hand_out
from trainer.training_store import Job, TrainingStore
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
hand_out(TrainingStore({location!r}), Job(**json.loads(sys.stdin.read())), Path({str(tmp_path / "adapters")!r}), print)
"""
    waiting = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert waiting.stdin is not None
    waiting.stdin.write(json.dumps(job.to_json()).encode())
    waiting.stdin.close()
    store = TrainingStore(location)
    wait_for(lambda: store.names(job.job_id))
    said: list[str] = []
    working = threading.Thread(target=Worker(store, tmp_path / "work", said.append).work, kwargs={"once": True})
    working.start()
    wait_for(lambda: store.names(job.job_id) and PROGRESS in store.names(job.job_id))
    os.kill(waiting.pid, signal.SIGINT)
    waiting.wait(60)
    assert CANCELLED in store.names(job.job_id) and JOB not in store.names(job.job_id)
    working.join(240)
    assert not working.is_alive() and "cancelled" in said[-1]
    handed = Handed(location, Job(str(llama), False, asdict(CONFIG), ROWS), tmp_path / "adapters")
    wait_for(lambda: handed.told)
    assert job.job_id not in store.names(), "the next job tidies up"
    Worker(store, tmp_path / "work", print).work(once=True)
    handed.wait()
    assert handed.error is None


def test_a_store_that_cannot_be_used_is_named() -> None:
    with pytest.raises(TrainingStoreError, match="AION_TRAINING_STORE"):
        TrainingStore("/proc/no-store").write("a.json", {})
    with pytest.raises(TrainingStoreError, match="nothing://here"):
        TrainingStore("nothing://here")
