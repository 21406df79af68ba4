"""GPU workers: model servers on other machines, asked in turn, and left alone for a while when one fails."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from aion_assets.core.answer.engine import Engine, Task
from aion_assets.core.answer.extractive import Answer
from aion_assets.core.errors import GeneratorError, UnsupportedTextError

# One that failed is asked whether it lives after this pause, and gets so long to say so.
_PAUSE_S = 30.0
_HEALTH_TIMEOUT_S = 0.5
_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """`is_alive` gets a time limit in seconds."""

    name: str
    engine: Engine
    is_alive: Callable[[float], bool]
    down_until: float = 0.0
    is_down: bool = False


class Workers:
    """An engine over several workers. Safe to share between threads."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = list(workers)
        self._next = 0
        self._turning = threading.Lock()

    def write(self, task: Task) -> Iterator[str | Answer]:
        """Raises GeneratorError: none of them can answer; it says why each could not."""
        reasons: list[str] = []
        for worker in self._in_turn():
            if not self._can_be_asked(worker):
                reasons.append(f"Worker {worker.name} is down.")
                continue
            try:
                yield from worker.engine.write(task)
                self._note(worker, down=False)
                return
            except UnsupportedTextError:  # it works; another one of the same model would write alike
                raise
            except GeneratorError as error:
                self._note(worker, down=True)
                reasons.append(error.what)
        raise GeneratorError(" ".join(reasons) or "There is no worker.")

    def look(self) -> None:
        """Ask those that are down whether they are back, and the others whether they live."""
        for worker in self._workers:
            if time.monotonic() >= worker.down_until:
                self._note(worker, down=not worker.is_alive(_HEALTH_TIMEOUT_S))

    def _in_turn(self) -> list[Worker]:
        with self._turning:
            first = self._next
            self._next = (self._next + 1) % max(1, len(self._workers))
        return [*self._workers[first:], *self._workers[:first]]

    def _can_be_asked(self, worker: Worker) -> bool:
        if not worker.is_down:
            return True
        if time.monotonic() < worker.down_until:
            return False
        alive = worker.is_alive(_HEALTH_TIMEOUT_S)
        self._note(worker, down=not alive)
        return alive

    def _note(self, worker: Worker, *, down: bool) -> None:
        if down != worker.is_down:
            _log.log(logging.ERROR if down else logging.INFO, "Worker %s is %s.", worker.name, "down" if down else "up")
        worker.is_down = down
        worker.down_until = time.monotonic() + _PAUSE_S if down else 0.0
