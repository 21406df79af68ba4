"""What every test may ask for."""

import os
from pathlib import Path

import counts
import pytest

from aion_assets.core.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parents[1]
# The default model would be unpacked into every home, which takes a second and 155 MB. Tests of the default unset it.
os.environ["AION_EMBED_MODEL"] = "all-MiniLM-L6-v2"
# Sources stand where the ranker puts them; tests of the swaps draw their own chances.
os.environ["AION_SWAP_SHARE"] = os.environ["AION_INTERLEAVE_SHARE"] = "0"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data of others, kept beside the repository; tests that need it are skipped where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of its own; what a test writes, it writes there. Loopback servers may be fetched from."""
    folder = tmp_path / "home"
    monkeypatch.setenv("AION_HOME", str(folder))
    monkeypatch.setenv("AION_ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8")
    for name in ("AION_DATABASE_URL", "DATABASE_URL", "AION_DAGSTER_DB"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings()


_FAULTS = {
    "test_disk": "full disks and damaged files",
    "test_clock": "clocks that jump",
    "test_concurrency": "processes at work at once",
}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Each test of a fault is one fault that was tried."""
    what = _FAULTS.get(Path(report.fspath).stem) if "faults/" in report.nodeid and report.when == "call" else None
    if what:
        counts.note(what, 1, int(report.failed))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := counts.lines():
        terminalreporter.section("what was tried")
        for line in lines:
            terminalreporter.line(line)
