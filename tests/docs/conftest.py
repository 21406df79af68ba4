"""The manual, built as `make up` builds it: by the script, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
Build = Callable[..., str]


@pytest.fixture(scope="session")
def docs() -> Path:
    return DOCS


@pytest.fixture(scope="session")
def build_manual() -> Build:
    """Builds into a folder, with this seed for the hashes of strings, and gives what the script printed."""

    def build(out: Path, hash_seed: int = 0) -> str:
        command = [sys.executable, "-W", "error", str(DOCS / "build_manual.py"), str(out)]
        environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return build


@pytest.fixture(scope="session")
def manual(build_manual: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a manual built once."""
    out = tmp_path_factory.mktemp("manual")
    build_manual(out)
    return out
