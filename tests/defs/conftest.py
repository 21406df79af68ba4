import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pipeline import Pipeline, write_files
from slow_site import SlowSite, serve
from sqlalchemy import update

from aion_assets.core.database import tables
from aion_assets.core.settings import load_settings
from aion_assets.local.foreground import dagster_home, dagster_instance


@pytest.fixture
def instance(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster as this repository configures it, with its records in the test's home."""
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
    with dagster_instance() as opened:
        yield opened


@pytest.fixture
def pipeline(instance: dg.DagsterInstance, home: Path) -> Pipeline:
    """A folder of four files that is a source, not collected yet."""
    made = Pipeline(instance, load_settings(), write_files(home.parent / "files"))
    made.source_id = made.add_source(made.folder, name="files")
    return made


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds `files` and the `home` that one run has carried them to a release in."""
    folder = tmp_path_factory.mktemp("first_run")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AION_HOME", str(folder / "home"))
        environment.setenv("DAGSTER_HOME", str(dagster_home()))
        with dagster_instance() as instance:
            made = Pipeline(instance, load_settings(), write_files(folder / "files"))
            made.source_id = made.add_source(made.folder, name="files")
            made.run()
    return folder


@pytest.fixture
def filled(first_run: Path, home: Path, request: pytest.FixtureRequest) -> Pipeline:
    """A pipeline after its first run."""
    files = home.parent / "files"
    shutil.copytree(first_run / "home", home)
    shutil.copytree(first_run / "files", files)
    made = Pipeline(request.getfixturevalue("instance"), load_settings(), files)
    made.source_id = "files"
    with made.database.write() as connection:
        connection.execute(update(tables.sources).values(address=str(files.resolve())))
    return made


@pytest.fixture
def slow_site() -> Iterator[SlowSite]:
    """Thirty pages that take a second each."""
    with serve(SlowSite(pages=30, pause_s=1.0)) as site:
        yield site
