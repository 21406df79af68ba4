"""A limit of time for work in this process on what strangers wrote."""

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from aion_assets.core.errors import StalledError


class _LateError(BaseException):
    """Raised from outside in the thread that is late. No handler of errors takes it for one of its own."""


@contextmanager
def patience(seconds: float, what: str) -> Iterator[None]:
    """Raises StalledError in the block once it took longer, in whichever thread.

    In the main thread, where runs do their work, a signal raises it, which is taken up inside a regular expression,
    too. In another thread it is raised between two instructions: there an expression is first carried to its end, which
    comes soon as the expressions of AION take time in proportion to the text (tests/attack/test_linear.py).
    """
    limit = _signal if threading.current_thread() is threading.main_thread() else _from_outside
    try:
        with limit(seconds):
            yield
    except _LateError:
        raise StalledError(f"{what} took longer than {seconds:g} s.", "AION_PARSE_TIMEOUT_S is the limit.") from None


@contextmanager
def _signal(seconds: float) -> Iterator[None]:
    """An alarm that is set already rings when it was to."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _LateError

    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (seconds - remaining)), interval)


@contextmanager
def _from_outside(seconds: float) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    changing, is_over = threading.Lock(), False

    def stop() -> None:
        with changing:
            if not is_over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_LateError))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with changing:
            is_over = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # what was raised and not taken up yet
