from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select

from aion_assets.core import releases, schema
from aion_assets.core.database import Database
from aion_assets.core.errors import LakeError, NoReleaseError
from aion_assets.core.lake import Lake
from aion_assets.core.releases import Manifest
from aion_assets.core.settings import Settings

Either = tuple[Database, Settings]
TABLE = "knowledge-x"
SCHEMA = pa.schema([pa.field("chunk_id", pa.string(), nullable=False)])


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    made.upsert(TABLE, SCHEMA, "chunk_id", [{"chunk_id": "a"}])
    return made


def _manifest(lake: Lake, **changes: object) -> Manifest:
    version = lake.table(TABLE).version
    made = Manifest(
        index={"table": TABLE, "version": version, "rows": lake.count(TABLE), "data_version": f"v{lake.count(TABLE)}"},
        embedder={"id": "x", "dimension": 3},
        calibration={"models": {"pt": [0.1]}},
        fusion={"dense": 0.3},
        created_by_run="run-1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _add_row(lake: Lake, key: str) -> None:
    lake.upsert(TABLE, SCHEMA, "chunk_id", [{"chunk_id": key}])


def test_what_is_published_is_current_and_comes_back_equal(either_database: Either, lake: Lake) -> None:
    database, settings = either_database
    with pytest.raises(NoReleaseError):
        releases.current_release(database, settings.tenant_id)
    manifest = _manifest(lake)
    release_id = releases.publish(lake, database, settings.tenant_id, manifest)
    current = releases.current_release(database, settings.tenant_id)
    assert current == manifest and current.release_id == release_id
    assert releases.read_release(database, release_id) == manifest
    with pytest.raises(NoReleaseError, match="nowhere"):
        releases.read_release(database, "nowhere")


def test_a_release_shows_its_own_rows_whatever_is_written_later(either_database: Either, lake: Lake) -> None:
    database, settings = either_database
    manifest = _manifest(lake)
    releases.publish(lake, database, settings.tenant_id, manifest)
    _add_row(lake, "b")
    lake.delete(TABLE, "chunk_id", ["a"])
    assert lake.table_at(TABLE, manifest.tag).to_arrow()["chunk_id"].to_pylist() == ["a"]


def test_publishing_again_after_a_kill_is_publishing_once(either_database: Either, lake: Lake) -> None:
    database, settings = either_database
    for _ in range(2):
        releases.publish(lake, database, settings.tenant_id, _manifest(lake))
    with database.read() as connection:
        assert len(connection.execute(select(schema.releases)).all()) == 1


def test_a_roll_back_is_publishing_an_old_manifest(either_database: Either, lake: Lake) -> None:
    database, settings = either_database
    first = _manifest(lake)
    releases.publish(lake, database, settings.tenant_id, first)
    _add_row(lake, "b")
    releases.publish(lake, database, settings.tenant_id, _manifest(lake))
    releases.publish(lake, database, settings.tenant_id, first)
    assert releases.current_release(database, settings.tenant_id) == first


def test_measurements_and_versions_make_no_difference_to_a_reader(lake: Lake) -> None:
    first = _manifest(lake)
    assert first.serves_the_same_as(replace(first, metrics={"ndcg": 1.0}, created_by_run="other"))
    assert first.serves_the_same_as(replace(first, index=first.index | {"version": 99}))
    for change in ({"fusion": {"dense": 0.4}}, {"index": first.index | {"data_version": "w"}}, {"prompt_version": "2"}):
        assert not first.serves_the_same_as(replace(first, **change))  # type: ignore[arg-type]


def test_old_releases_retire_but_never_the_current_one(either_database: Either, lake: Lake) -> None:
    database, settings = either_database
    made = []
    for number in range(releases.KEPT_RELEASES + 3):
        _add_row(lake, f"row-{number}")
        made.append(_manifest(lake))
        releases.publish(lake, database, settings.tenant_id, made[-1])
    releases.publish(lake, database, settings.tenant_id, made[0])
    assert releases.retire_old_releases(lake, database, settings.tenant_id) == 2
    assert releases.retire_old_releases(lake, database, settings.tenant_id) == 0
    kept = [made[0], *made[3:]]
    assert set(lake.table(TABLE).tags.list()) == {manifest.tag for manifest in kept}
    for manifest in kept:
        assert lake.table_at(TABLE, manifest.tag).count_rows() == manifest.index["rows"]
    with pytest.raises(LakeError, match=TABLE):
        lake.table_at(TABLE, made[1].tag)


def test_another_tenant_keeps_its_releases_and_tags(either_database: Either, lake: Lake) -> None:
    database, settings = either_database
    theirs = _manifest(lake, created_by_run="theirs")
    releases.publish(lake, database, "other", theirs)
    for number in range(releases.KEPT_RELEASES + 1):
        _add_row(lake, f"row-{number}")
        releases.publish(lake, database, settings.tenant_id, _manifest(lake))
    assert releases.retire_old_releases(lake, database, settings.tenant_id) == 1
    assert releases.current_release(database, "other") == theirs
    assert lake.table_at(TABLE, theirs.tag).count_rows() == 1
