"""The same dagster.yaml and the same code on PostgreSQL, when one listens on loopback."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pipeline import Pipeline, metadata_of, write_files
from scratch_database import scratch_database
from sqlalchemy import func, select

from aion_assets.core.database import tables
from aion_assets.core.settings import load_settings
from aion_assets.local.foreground import dagster_home, dagster_instance


@pytest.fixture
def postgresql(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[None]:
    """The environment names an empty database for AION and one for Dagster."""
    with scratch_database() as of_aion, scratch_database() as of_dagster:
        monkeypatch.setenv("AION_DATABASE_URL", of_aion)
        monkeypatch.setenv("AION_DAGSTER_DB", of_dagster)
        monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
        yield


def test_a_run_on_postgresql_leaves_nothing_in_sqlite(postgresql: None, home: Path) -> None:
    with dagster_instance() as instance:
        pipeline = Pipeline(instance, load_settings(), write_files(home.parent / "files"))
        pipeline.source_id = pipeline.add_source(pipeline.folder, name="files")
        pipeline.run()
        again = pipeline.run()
        assert not metadata_of(again, "release")["published"]
        assert instance.get_materialized_partitions(dg.AssetKey(["corpus", "chunks"])) == {"files"}
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        assert pipeline.found("quando podar a lavanda")[0] == "plantas.md"
        with pipeline.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(tables.releases)).scalar() == 1
        pipeline.database.engine.dispose()
    assert [*home.rglob("*.sqlite"), *home.rglob("*.db")] == []
