import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bench.weight import name_of, weigh

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"])
print("up", flush=True)
sys.stdin.read()
child.kill()
"""


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the kernel tells no PSS here")
def test_the_weight_is_of_a_process_and_of_all_that_it_started() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None and parent.stdout.readline() == b"up\n"
    weights = weigh(psutil.Process(parent.pid))
    parent.communicate()
    assert len(weights) == 2 and "http.server" in "".join(weights)
    assert all(1 < weight < 100 for weight in weights.values())


def test_a_process_is_named_by_what_it_runs() -> None:
    assert name_of(["python", "-m", "aion_assets", "serve"]) == "aion_assets serve"
    assert name_of(["python", "-m", "dagster", "api", "grpc", "--socket", "/s"]) == "dagster api grpc"
    assert name_of(["python", "-m", "dagster_webserver", "-w", "/w.yaml", "-h", "127.0.0.1"]) == "dagster_webserver"
    assert name_of(["python", "-c", "from multiprocessing.spawn import spawn_main"]).startswith("-c from")
