import subprocess
import sys

_SECONDS_OF_PROCESSOR = """
import time
import aion_assets
import numpy as np
import torch
one = np.random.default_rng(7).random((1500, 1500))
other = torch.rand(1500, 1500)
other @ other, one @ one
before = time.process_time()
time.sleep(0.5)
print(time.process_time() - before)
"""


def test_threads_that_wait_for_work_leave_the_processor_to_others() -> None:
    used = subprocess.run(
        [sys.executable, "-c", _SECONDS_OF_PROCESSOR], check=True, capture_output=True, text=True
    ).stdout
    assert float(used) < 0.01
