"""Foreign files are parsed in processes that may hang, crash or explode without harm to anyone else's document."""

import os
import selectors
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from aion_assets.core.parse.sandbox.worker import Worker
from aion_assets.core.records import ParseOutcome
from aion_assets.core.settings import Settings

# Where only so many documents wait, a second process would start up longer than it works.
_JOBS_FOR_ONE_WORKER = 2


@dataclass(slots=True)
class ParseJob:
    """`key` comes back with the outcome and means nothing here."""

    key: str
    body: bytes
    url: str
    content_type: str
    filename: str


def parse_all(jobs: Iterable[ParseJob], *, settings: Settings, workers: int | None = None) -> Iterator[ParseOutcome]:
    """Exactly one outcome for each job, in the order in which they are done.

    Each item may take `settings.parse_timeout_s` and `settings.parse_memory_bytes`; one that takes more, or brings its
    process down, is quarantined and the process replaced. Jobs are drawn as workers become free, so that only a few
    bodies are in memory. `workers` is one for each processor by default. Closing the iterator ends all processes.
    """
    source = iter(jobs)
    first = list(islice(source, _JOBS_FOR_ONE_WORKER + 1))
    limit = 1 if len(first) <= _JOBS_FOR_ONE_WORKER else max(1, workers or os.cpu_count() or 1)
    pending = chain(first, source)
    del first
    crew: list[Worker] = []
    with selectors.DefaultSelector() as selector:
        try:
            yield from _drain(pending, crew, limit, selector, settings)
        finally:
            for worker in crew:
                worker.kill()


def _drain(
    pending: Iterator[ParseJob],
    crew: list[Worker],
    limit: int,
    selector: selectors.BaseSelector,
    settings: Settings,
) -> Iterator[ParseOutcome]:
    exhausted = False
    while True:
        while not exhausted and (worker := _free(crew, limit, selector, settings)):
            job = next(pending, None)
            if job is None:
                exhausted = True
            else:
                worker.start(job.key, job.body, job.url, job.content_type, job.filename)
        busy = [worker for worker in crew if worker.key is not None]
        if not busy:
            return
        selector.select(max(0.0, min(worker.seconds_left for worker in busy)))
        for worker in busy:
            outcome = worker.poll()
            if not worker.alive:
                _dismiss(worker, crew, selector)
            if outcome is not None:
                yield outcome


def _free(crew: list[Worker], limit: int, selector: selectors.BaseSelector, settings: Settings) -> Worker | None:
    for worker in [worker for worker in crew if worker.key is None]:
        if worker.is_running():
            return worker
        _dismiss(worker, crew, selector)  # it was ended from outside, which the next document must not pay for
    if len(crew) >= limit:
        return None
    worker = Worker(settings.parse_timeout_s, settings.parse_memory_bytes)
    selector.register(worker.answers, selectors.EVENT_READ)
    crew.append(worker)
    return worker


def _dismiss(worker: Worker, crew: list[Worker], selector: selectors.BaseSelector) -> None:
    selector.unregister(worker.answers)
    crew.remove(worker)
    worker.kill()
