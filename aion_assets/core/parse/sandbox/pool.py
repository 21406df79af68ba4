"""Parse foreign files in processes that may hang, crash or run out of memory without harm to other documents."""

import os
import selectors
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from aion_assets.core.parse.sandbox.worker import Worker
from aion_assets.core.records import ParseOutcome
from aion_assets.core.settings import Settings

# For so few documents, a second process would take longer to start than to work.
_JOBS_FOR_ONE_WORKER = 2


@dataclass(slots=True)
class ParseJob:
    """`key` returns with the outcome. It has no meaning here."""

    key: str
    body: bytes
    url: str
    content_type: str
    filename: str


def parse_all(jobs: Iterable[ParseJob], *, settings: Settings, workers: int | None = None) -> Iterator[ParseOutcome]:
    """Yield exactly one outcome for each job, in the order of completion.

    Each job may take `settings.parse_timeout_s` and `settings.parse_memory_bytes`. A job that takes more, or crashes
    its process, is quarantined and the process is replaced. Jobs are drawn as workers become free, so that few bodies
    are in memory. `workers` is by default one for each processor. Closing the iterator ends all processes.
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
        _dismiss(worker, crew, selector)  # it was ended from outside; the next document must not suffer
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
