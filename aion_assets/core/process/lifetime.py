"""A child process that ends with its parent, however the parent ends."""

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_S = 1.0


def die_with_parent(parent: int, *, whole_group: bool = False) -> None:
    """To be called first in the child. `parent` is the process id that started it.

    With `whole_group`, what the child started goes, too; it has a process group of its own then.
    Raises SystemExit: the parent died before this was called.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        raise SystemExit("the parent is gone")
    if whole_group or sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.kill(0, signal.SIGKILL)
