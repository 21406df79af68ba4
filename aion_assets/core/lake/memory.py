"""What LanceDB and the C library may keep in memory, for processes that index and answer nobody.

Building the vector index of 240 000 rows (of 24 000 in brackets) peaks at 958 MB (387); with less to shuffle at once at
676, with two reading threads, too, at 585, and with one heap for all threads at 375 (299): what a build takes hardly
follows the size of the index any more. What a process has freed stays its own until it is given back: between two
writes of the same 240 000 rows that is a quarter to a third of its memory.
"""

import ctypes
import os
import sys

import pyarrow as pa

# Lance's older way of sorting rows into partitions writes each to a file of its own; the newer holds more at once.
# A search holds several of the partitions that it looks through: of 240 000 rows 86 MB, one by one 22, and no slower.
_ANY_LAKE = {"LANCE_LEGACY_SHUFFLER": "1", "LANCE_IVF_GLOBAL_TOPK_CHUNK_BYTES": "1000000"}
# Each thread reads ahead. From a disk the build above took no longer with two; an object store was not tried.
_LOCAL_LAKE = {"LANCE_IO_THREADS": "2"}
_M_ARENA_MAX = -8  # of glibc's malloc.h


def spare_memory(*, local: bool) -> None:
    """To be called before this process opens its first table; what the environment says already is left as it is."""
    for name, value in (_ANY_LAKE | _LOCAL_LAKE if local else _ANY_LAKE).items():
        os.environ.setdefault(name, value)
    if "MALLOC_ARENA_MAX" not in os.environ:
        # glibc gives every thread a heap of its own and returns little of it.
        _of_glibc("mallopt", _M_ARENA_MAX, 1)


def give_back() -> None:
    """To the system, what this process has freed."""
    pa.default_memory_pool().release_unused()
    _of_glibc("malloc_trim", 0)


def _of_glibc(name: str, *arguments: int) -> None:
    """Call a function that other C libraries do not have."""
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*arguments)
