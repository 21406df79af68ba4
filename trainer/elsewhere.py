"""Train the generator on another machine: one hands the job to a training store, any other takes it up there.

A machine that ends in the middle, as rented ones do, leaves its checkpoints in the store. Another one, or the same one
later, takes the job up once the lease has not been renewed for a while, and goes on where the first one ended. Whether
a lease is old is told by watching it, not by comparing clocks.
"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aion_assets.core.errors import AionError, TrainingDataError, TrainingStoreError
from aion_assets.core.steps.report import ShowProgress
from trainer.adapters import RECORD, adapter_folder, folder_name
from trainer.base_model import load_base_model
from trainer.plan import planned, refuse_what_cannot_fit
from trainer.progress import Loss
from trainer.sft import SftConfig, train_adapter
from trainer.training_store import ADAPTER, CANCELLED, CHECKPOINTS, JOB, LEASE, PROGRESS, RESULT, Job, TrainingStore

# How often the store is looked at, on both sides.
_LOOK_S = 2.0
_RENEW_S = 15.0
# A store that cannot be reached for so long fails the training that waits for it.
_AWAY_S = 900.0
# Two machines that take one job up at once see each other's lease after this time; the later one keeps it.
_SETTLE_S = 1.0


class _Left(Exception):
    """The job was cancelled, or another machine works on it now."""


def hand_out(store: TrainingStore, job: Job, adapters: Path, show: ShowProgress) -> Mapping[str, Any]:
    """Wait until some machine has trained the job, and bring its adapter among those of this machine.

    The result is {figures, base, digest}. Whoever ends this process cancels the job. What is of older jobs is deleted
    from the store, and of this one when it is done: it holds texts of documents.

    Raises TrainingDataError: the machine failed, with its reason. TrainingStoreError: the store cannot be used.
    """
    name = job.job_id
    _tidy(store, name)
    store.write(f"{name}/{JOB}", job.to_json())
    try:
        result = _awaited(store, name, show)
    except (SystemExit, KeyboardInterrupt):
        store.delete(name)
        store.write(f"{name}/{CANCELLED}", {})
        raise
    if reason := result.get("error"):
        store.delete(name)
        raise TrainingDataError(f"The training on {result['worker']} failed: {reason}")
    target = adapters / folder_name(str(result["digest"]))
    shutil.rmtree(target, ignore_errors=True)
    store.fetch(f"{name}/{ADAPTER}", target)
    adapter_folder(adapters, str(result["digest"]))
    store.delete(name)
    return result


def _tidy(store: TrainingStore, name: str) -> None:
    """Delete other jobs, and what hinders this one: that it was cancelled or failed the last time."""
    for other in store.names():
        there = {*store.names(other)}
        failed = "error" in (store.read(f"{other}/{RESULT}") or {}) if other == name else bool({JOB, LEASE} & there)
        if failed or CANCELLED in there:
            store.delete(other)


def _awaited(store: TrainingStore, name: str, show: ShowProgress) -> dict[str, Any]:
    told: object = None
    heard_at = time.monotonic()
    while True:
        try:
            if result := store.read(f"{name}/{RESULT}"):
                return result
            news = _news(store, name)
            heard_at = time.monotonic()
        except TrainingStoreError as error:
            if time.monotonic() - heard_at > _AWAY_S:
                raise
            news = (0, 1, str(error))
        if news != told:
            told = news
            show(*news)
        time.sleep(_LOOK_S)


def _news(store: TrainingStore, name: str) -> tuple[int, int, str]:
    """Step, steps, and what is going on."""
    lease = store.read(f"{name}/{LEASE}")
    if lease is None:
        return 0, 1, f"waits for a machine: aion train work {store.location}"
    if progress := store.read(f"{name}/{PROGRESS}"):
        return progress["step"], progress["steps"], Loss(progress["loss"], f" on {lease['worker']}")
    return 0, 1, f"{lease['worker']} begins"


@dataclass(slots=True)
class Worker:
    """A machine that takes up jobs of a store. It keeps checkpoints in `folder` meanwhile, and says what it does.

    `base_model` is the name of the model on this machine, where it is not that of the job. A lease that does not change
    for `patience_s` is one of a machine that ended.
    """

    store: TrainingStore
    folder: Path
    say: Callable[[str], None]
    base_model: str = ""
    patience_s: float = 120.0
    _seen: dict[str, tuple[object, float]] = field(default_factory=dict)

    def work(self, *, once: bool = False) -> None:
        """Job after job, without end; `once`: until one is done or none is there.

        A job that fails is answered with the reason. Raises TrainingStoreError with `once`: the store cannot be used.
        """
        while True:
            name = ""
            try:
                if name := self._free_job():
                    self._work_on(name)
                if once and (name or not _open_jobs(self.store)):
                    return
            except _Left as reason:
                self.say(str(reason))
                shutil.rmtree(self.folder / name, ignore_errors=True)
            except TrainingStoreError as error:
                if once:
                    raise
                self.say(str(error))
            time.sleep(_LOOK_S)

    def _free_job(self) -> str:
        """A job that nobody works on, "" for none. Each lease is remembered, and since when it has not changed."""
        for name in _open_jobs(self.store):
            lease = self.store.read(f"{name}/{LEASE}")
            if lease is None:
                return name
            known, since = self._seen.get(name, (None, 0.0))
            if known != lease:
                self._seen[name] = (lease, time.monotonic())
            elif time.monotonic() - since > self.patience_s:
                return name
        return ""

    def _work_on(self, name: str) -> None:
        worker = f"{socket.gethostname()} ({os.getpid()})"
        folder = self.folder / name
        with _leased(self.store, name, worker) as still_ours:
            job = Job.from_json(self.store.read(f"{name}/{JOB}") or {})
            self.say(f"{name}: {len(job.conversations)} rows for {self.base_model or job.base_model}")
            kept = _Kept(self.store, name, folder)
            kept.bring_in()

            def show(step: int, steps: int, loss: float) -> None:
                still_ours()
                kept.send()
                self.store.write(f"{name}/{PROGRESS}", {"step": step, "steps": steps, "loss": loss})
                self.say(f"{name}: step {step} of {steps}, loss {loss:.3f}")

            try:
                result = _trained(job, self.base_model or job.base_model, folder, show)
            except (_Left, TrainingStoreError):
                raise
            except Exception as error:  # else the next machine would take the job up, and fail as well
                says = str(error) if isinstance(error, AionError) else f"{type(error).__name__}: {error}"[:500]
                self.store.write(f"{name}/{RESULT}", {"error": says, "worker": worker})
                self.say(f"{name}: {says}")
                return
            still_ours()
            self.store.send(folder / ADAPTER, f"{name}/{ADAPTER}", last=RECORD)
            self.store.write(f"{name}/{RESULT}", {**result, "worker": worker})
            self.say(f"{name}: done, adapter {str(result['digest'])[:12]}")
        shutil.rmtree(folder, ignore_errors=True)


def _open_jobs(store: TrainingStore) -> list[str]:
    found = []
    for name in store.names():
        there = set(store.names(name))
        if JOB in there and not there & {RESULT, CANCELLED}:
            found.append(name)
    return found


def _trained(job: Job, base_model: str, folder: Path, show: Callable[[int, int, float], None]) -> dict[str, Any]:
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    rows = [[dict(message) for message in row] for row in job.conversations]
    config = SftConfig(**job.config)
    started = time.monotonic()
    plan = planned(base_model, rows, config, in_4bit=job.in_4bit, price=0.0)
    refuse_what_cannot_fit(plan, config)
    base = load_base_model(base_model, in_4bit=job.in_4bit)
    trained = train_adapter(base, rows, config, folder, show)
    figures = {**trained.figures(), "minutes": round((time.monotonic() - started) / 60, 2)}
    return {"figures": figures, "base": f"{base.name}@{base.digest}", "digest": trained.record.digest}


class _Kept:
    """The checkpoints of a job, in the folder of this machine and in the store."""

    def __init__(self, store: TrainingStore, name: str, folder: Path) -> None:
        self._store, self._name, self._folder = store, f"{name}/{CHECKPOINTS}", folder / CHECKPOINTS
        self._sent: set[str] = set()

    def bring_in(self) -> None:
        """The newest whole one of the store."""
        for step in reversed(self._store.names(self._name)):
            if "state.json" in self._store.names(f"{self._name}/{step}"):
                self._store.fetch(f"{self._name}/{step}", self._folder / step)
                self._sent.add(step)
                return

    def send(self) -> None:
        """Those that the store does not have yet; older ones are deleted there."""
        whole = sorted(path.parent.name for path in self._folder.glob("*/state.json"))
        for step in whole[-1:]:
            if step not in self._sent:
                self._store.send(self._folder / step, f"{self._name}/{step}", last="state.json")
                self._sent.add(step)
                for old in self._store.names(self._name)[:-1]:
                    self._store.delete(f"{self._name}/{old}")


@contextmanager
def _leased(store: TrainingStore, name: str, worker: str) -> Iterator[Callable[[], None]]:
    """Hold the lease of a job and renew it. What is yielded raises _Left once the job is no longer this machine's."""
    token, ended, looked_at = uuid4().hex, threading.Event(), time.monotonic()

    def write(count: int) -> None:
        store.write(f"{name}/{LEASE}", {"worker": worker, "token": token, "renewed": count})

    def is_ours() -> bool:
        there = set(store.names(name))
        held = store.read(f"{name}/{LEASE}") or {}
        return JOB in there and CANCELLED not in there and held.get("token") == token

    def renew() -> None:
        count = 0
        while not ended.wait(_RENEW_S):
            # A store may be away for a while; the lease may be taken over meanwhile.
            with suppress(TrainingStoreError):
                if not is_ours():
                    return
                count += 1
                write(count)

    def still_ours() -> None:
        nonlocal looked_at
        if time.monotonic() - looked_at > _LOOK_S:
            looked_at = time.monotonic()
            if not is_ours():
                raise _Left(f"{name}: cancelled, or taken up by another machine")

    write(0)
    time.sleep(_SETTLE_S)
    if not is_ours():
        raise _Left(f"{name}: taken up by another machine")
    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield still_ours
    except TrainingStoreError as error:
        if not is_ours():  # its folder was deleted under this machine's hands
            raise _Left(f"{name}: cancelled, or taken up by another machine") from error
        raise
    finally:
        ended.set()
        renewing.join()
        if is_ours():
            store.remove(f"{name}/{LEASE}")  # the next machine need not wait
