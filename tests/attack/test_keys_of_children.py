"""A process that AION starts gets the keys and passwords that it needs, and no others."""

import json
import subprocess
import sys
from pathlib import Path

import counts
import pytest

from aion_assets.core.process.environment import bare_environment, spared_environment
from aion_assets.core.settings import load_settings
from aion_assets.local.supervisor import _children

SECRETS = {
    "AION_DATABASE_URL": "postgresql://aion:pass@db/aion",
    "DATABASE_URL": "postgresql://other:pass@db/other",
    "AION_DAGSTER_DB": "postgresql://dagster:pass@db/dagster",
    "AION_LOCAL_LLM_KEY": "sk-local",
    "AION_WORKER_TOKEN": "worker",
    "OPENAI_API_KEY": "sk-openai",
    "ANTHROPIC_API_KEY": "sk-ant",
    "GITHUB_TOKEN": "ghp",
    "HF_TOKEN": "hf",
    "AWS_SECRET_ACCESS_KEY": "aws",
    "PGPASSWORD": "pg",
    "SOME_CLIENT_SECRET": "secret",
    "SENTRY_DSN": "https://key@sentry/1",
}
_NEEDED = {
    "aion": {"AION_DATABASE_URL", "DATABASE_URL", "AION_LOCAL_LLM_KEY", "AION_WORKER_TOKEN", "HF_TOKEN",
             "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"},
    "model-server": {"AION_WORKER_TOKEN", "HF_TOKEN"},
    "dagster-code": {"AION_DATABASE_URL", "DATABASE_URL", "AION_DAGSTER_DB", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY",
                     "PGPASSWORD"},
    "dagster-webserver": {"AION_DAGSTER_DB", "PGPASSWORD"},
    "dagster-daemon": {"AION_DAGSTER_DB", "PGPASSWORD"},
}  # fmt: skip


@pytest.fixture
def secrets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AION_BASE_MODEL", "/nowhere/model")


def test_each_process_of_aion_up_gets_the_secrets_that_it_needs(secrets: None, tmp_path: Path) -> None:
    children = [child for wave in _children(load_settings(), True, tmp_path) for child in wave]
    assert {child.name for child in children} == _NEEDED.keys()
    for child in children:
        given = SECRETS.keys() & child.environment.keys()
        counts.note("secrets of the environment by child", len(SECRETS), len(given - _NEEDED[child.name]))
        assert given == _NEEDED[child.name], child.name
        assert child.environment["AION_HOME"] and child.environment["PATH"]


def test_what_works_on_foreign_files_gets_none(secrets: None) -> None:
    print_names = [sys.executable, "-c", "import json, os; print(json.dumps([*os.environ]))"]
    for environment, needed in ((bare_environment(), set()), (spared_environment("HF_TOKEN"), {"HF_TOKEN"})):
        printed = subprocess.run(print_names, env=environment, capture_output=True, text=True, check=True).stdout
        given = SECRETS.keys() & set(json.loads(printed))
        counts.note("secrets of the environment by child", len(SECRETS), len(given - needed))
        assert given == needed
