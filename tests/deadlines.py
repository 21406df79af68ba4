"""Deadlines of the product, judged on machines that have other work, too."""

import time
from collections.abc import Callable

_ATTEMPTS = 5


def is_in_time(within_s: float, attempt: Callable[[], float]) -> bool:
    """Whether one of a few attempts, each of which returns its seconds, took less than that.

    Other work on the machine delays some of them. A deadline that is not held is missed by every one.
    """
    return any(attempt() < within_s for _ in range(_ATTEMPTS))


def duration_s(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started
