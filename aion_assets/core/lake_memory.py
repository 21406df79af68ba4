"""What LanceDB and the C library may keep in memory, for processes that index and answer nobody.

Building the vector index of 240 000 rows (of 24 000 in brackets) peaks at 958 MB (387); with less to shuffle at once at
676, with two reading threads, too, at 585, and with one heap for all threads at 375 (299): what a build takes hardly
follows the size of the index any more.
"""

import ctypes
import os
import sys

# Lance's older way of sorting rows into partitions writes each to a file of its own; the newer holds more at once.
_ANY_LAKE = {"LANCE_LEGACY_SHUFFLER": "1"}
# Each thread reads ahead. From a disk the build above took no longer with two; an object store was not tried.
_LOCAL_LAKE = {"LANCE_IO_THREADS": "2"}
_M_ARENA_MAX = -8  # of glibc's malloc.h


def spare_memory(*, local: bool) -> None:
    """To be called before this process opens its first table; what the environment says already is left as it is."""
    for name, value in (_ANY_LAKE | _LOCAL_LAKE if local else _ANY_LAKE).items():
        os.environ.setdefault(name, value)
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        # glibc gives every thread a heap of its own and returns little of it; other C libraries have no such call.
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
