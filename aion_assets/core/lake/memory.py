"""How much memory LanceDB and the C library may keep, in processes that index and do not serve.

Less to shuffle at once, fewer reading threads and one heap for all threads each lower the peak of an index build. With
all three, the peak grows far less than the index (docs/experiments.md, memory). Freed memory stays with the process
until it is given back. After a large write that is a good part of the whole.
"""

import ctypes
import os
import sys

import pyarrow as pa

# Lance's older shuffler writes each partition to a file of its own; the newer one holds more at once. A search holds
# several of the partitions that it scans; one at a time takes less memory and is no slower.
_ANY_LAKE = {"LANCE_LEGACY_SHUFFLER": "1", "LANCE_IVF_GLOBAL_TOPK_CHUNK_BYTES": "1000000"}
# Each thread reads ahead. From a disk a build takes no longer with two; an object store may need more.
_LOCAL_LAKE = {"LANCE_IO_THREADS": "2"}
_M_ARENA_MAX = -8  # of glibc's malloc.h


def spare_memory(*, local: bool) -> None:
    """Call it before this process opens its first table. Variables that are already set stay as they are."""
    for name, value in (_ANY_LAKE | _LOCAL_LAKE if local else _ANY_LAKE).items():
        os.environ.setdefault(name, value)
    if "MALLOC_ARENA_MAX" not in os.environ:
        # glibc gives every thread a heap of its own and returns little of it.
        _of_glibc("mallopt", _M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what this process has freed."""
    pa.default_memory_pool().release_unused()
    _of_glibc("malloc_trim", 0)


def _of_glibc(name: str, *arguments: int) -> None:
    """Call a function that other C libraries do not have."""
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*arguments)
