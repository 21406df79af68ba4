import subprocess
import sys
import time
from pathlib import Path

from aion_assets.local.logs import shorten

_WRITER = "import time\nfor n in range(1000): print(f'line {n:04} ' + 'x' * 90, flush=True); time.sleep(0.001)"


def test_the_log_of_a_process_that_writes_on_stays_short(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab") as output:
        writer = subprocess.Popen([sys.executable, "-c", _WRITER], stdout=output)
    longest = 0
    while writer.poll() is None:
        shorten(log, 20_000)
        longest = max(longest, log.stat().st_size)
        time.sleep(0.01)
    assert writer.returncode == 0 and 0 < longest < 60_000
    assert b"\0" not in log.read_bytes(), "it appends, and so leaves no hole"
    assert log.read_text("utf-8").endswith(f"line 0999 {'x' * 90}\n")
    assert (tmp_path / "a.log.1").stat().st_size < 60_000


def test_a_log_that_is_not_there_is_short(tmp_path: Path) -> None:
    shorten(tmp_path / "none.log")
