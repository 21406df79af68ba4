import os
import platform
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from aion_assets.core.lake import store as lake_module
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import LakeTable

_OPEN_A_LAKE = """
import os, sys
from aion_assets.core.lake.store import Lake
Lake(sys.argv[1], spare=True)
print(os.environ.get("LANCE_LEGACY_SHUFFLER"), os.environ.get("LANCE_IO_THREADS"),
      os.environ.get("LANCE_IVF_GLOBAL_TOPK_CHUNK_BYTES"))
"""
# Python's own small objects do not come from the C library; large ones do.
_COUNT_HEAPS = """
import ctypes, sys, threading
from aion_assets.core.lake.store import Lake
if len(sys.argv) > 2:
    Lake("lake", spare=True)
meet = threading.Barrier(4)
def work():
    kept = [bytearray(50_000) for _ in range(50)]
    meet.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""
# What stays allocated above keeps the C library from giving back what is free below.
_FREE_BELOW = """
import psutil
from aion_assets.core.lake.memory import give_back
blocks = [bytearray(50_000) for _ in range(2_000)]
del blocks[:-1]
before = psutil.Process().memory_info().rss
give_back()
print(before - psutil.Process().memory_info().rss)
"""


def _run(code: str, *arguments: str, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LANCE_", "MALLOC_"))}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=inherited | environment, check=True, capture_output=True, text=True).stdout


def test_a_pipeline_sorts_and_compares_vectors_by_little_and_reads_a_disk_by_two_threads(tmp_path: Path) -> None:
    assert _run(_OPEN_A_LAKE, str(tmp_path)).split() == ["1", "2", "1000000"]


def test_an_object_store_is_read_by_as_many_threads_as_lance_wants() -> None:
    assert _run(_OPEN_A_LAKE, "s3://bucket/lake").split() == ["1", "None", "1000000"]


def test_what_the_environment_says_is_left_alone(tmp_path: Path) -> None:
    assert _run(_OPEN_A_LAKE, str(tmp_path), LANCE_LEGACY_SHUFFLER="0", LANCE_IO_THREADS="16").split() == [
        "0",
        "16",
        "1000000",
    ]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives every thread a heap of its own")
def test_threads_of_a_pipeline_make_no_further_heaps(tmp_path: Path) -> None:
    usual, spared = tmp_path / "usual.xml", tmp_path / "spared.xml"
    _run(_COUNT_HEAPS, str(usual))
    _run(_COUNT_HEAPS, str(spared), "spare")
    heaps = [path.read_text("utf-8").count("<heap ") for path in (usual, spared)]
    assert heaps[0] > 2 >= heaps[1], heaps  # an import may have made a thread, and its heap, before


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such call")
def test_what_was_freed_is_given_back() -> None:
    assert int(_run(_FREE_BELOW)) > 80_000_000


def test_a_large_write_of_a_pipeline_gives_back_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bool] = []
    monkeypatch.setattr(lake_module, "give_back", lambda: given.append(True))
    monkeypatch.setattr(lake_module, "spare_memory", lambda *, local: None)  # it would change this very process
    schema = pa.schema([("key", pa.string()), ("text", pa.string())])
    lake = Lake(str(tmp_path), spare=True)
    lake.upsert(LakeTable("notes", "key", schema), [{"key": "small", "text": "a word"}])
    assert not given
    lake.upsert(LakeTable("notes", "key", schema), [{"key": "large", "text": "word " * 300_000}])
    assert given
    Lake(str(tmp_path)).upsert(LakeTable("notes", "key", schema), [{"key": "other", "text": "word " * 300_000}])
    assert len(given) == 1, "a server's memory is its own"
