"""A limit of time for work in this process on what strangers wrote."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from aion_assets.core.errors import StalledError


@contextmanager
def patience(seconds: float, what: str) -> Iterator[None]:
    """Raises StalledError in the block once it took longer.

    A signal raises it, which Python takes up between two instructions and inside a regular expression. So it holds in
    the main thread only, where runs do their work; another thread is not limited. An alarm that is set already rings
    when it was to.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StalledError(f"{what} took longer than {seconds:g} s.", "AION_PARSE_TIMEOUT_S is the limit.")

    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (seconds - remaining)), interval)
