from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import LakeError, NoReleaseError, ReleaseError
from aion_assets.core.home import Home
from aion_assets.core.lake.tables import LakeTable
from aion_assets.core.release.manifest import ModelManifest, id_of
from aion_assets.core.release.releases import (
    Publication,
    Release,
    current_release,
    list_releases,
    publish,
    read_model_release,
    read_release,
)
from aion_assets.core.release.retire import KEPT_RELEASES, retire_old_releases
from aion_assets.core.release.rollback import models_before, release_before, roll_back, roll_back_models
from aion_assets.core.settings import Settings

Either = tuple[Database, Settings]
TABLE = LakeTable("knowledge-x", "chunk_id", pa.schema([pa.field("chunk_id", pa.string(), nullable=False)]))
MODELS = ModelManifest(
    passage_embedder={"id": "x", "name": "x", "dimension": 3},
    query_encoder={"id": "x", "adapter": "", "mode": "full", "scale": 1.0},
    ranker={"dense": 0.3},
    calibration={"models": {"pt": [0.1]}},
)


@pytest.fixture
def home(either_database: Either, tmp_path: Path) -> Iterator[Home]:
    made = Home(either_database[1].model_copy(update={"lake": str(tmp_path / "lake")}))
    made.database = either_database[0]
    made.lake.upsert(TABLE, [{"chunk_id": "a"}])
    return made


def _publish(home: Home, models: ModelManifest = MODELS) -> Release:
    """What the table holds now."""
    rows = home.lake.count(TABLE.name)
    index = {"version": home.lake.table(TABLE.name).version, "rows": rows, "data_version": f"v{rows}"}
    return publish(home, {"table": TABLE.name, **index}, models, Publication("run:1", "run-1"))


def _add_row(home: Home, key: str) -> None:
    home.lake.upsert(TABLE, [{"chunk_id": key}])


def _other_models(number: int) -> ModelManifest:
    return replace(MODELS, ranker={"dense": number / 10})


def test_what_is_published_is_current_and_comes_back_equal(home: Home) -> None:
    with pytest.raises(NoReleaseError):
        current_release(home.database, home.tenant_id)
    release = _publish(home)
    assert current_release(home.database, home.tenant_id) == release
    assert read_release(home.database, release.release_id).models == MODELS
    assert read_model_release(home.database, release.model_release_id) == MODELS
    with pytest.raises(NoReleaseError, match="nowhere"):
        read_release(home.database, "nowhere")
    with pytest.raises(NoReleaseError, match="nowhere"):
        read_model_release(home.database, "nowhere")


def test_ids_are_the_digests_of_the_text_that_is_stored(home: Home) -> None:
    release = _publish(home)
    with home.database.read() as connection:
        content = connection.execute(select(tables.releases.c.manifest)).scalar_one()
        models = connection.execute(select(tables.model_releases.c.manifest)).scalar_one()
    assert (release.release_id, release.model_release_id) == (id_of(content), id_of(models))


def test_a_release_shows_its_own_rows_whatever_is_written_later(home: Home) -> None:
    release = _publish(home)
    _add_row(home, "b")
    home.lake.delete(TABLE.name, "chunk_id", ["a"])
    assert home.lake.table_at(TABLE.name, release.tag).to_arrow()["chunk_id"].to_pylist() == ["a"]


def test_publishing_again_after_a_kill_is_publishing_once(home: Home) -> None:
    for _ in range(2):
        _publish(home)
    assert len(list_releases(home.database, home.tenant_id)) == 1


def test_versions_and_measurements_make_no_difference_to_a_reader(home: Home) -> None:
    release = _publish(home)
    assert release.serves_the_same_as(release.index | {"version": 99}, MODELS)
    assert not release.serves_the_same_as(release.index | {"data_version": "w"}, MODELS)
    for change in ({"ranker": {"dense": 0.4}}, {"prompt": "2"}, {"calibration": {}}):
        assert not release.serves_the_same_as(release.index, replace(MODELS, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("of_models", [True, False])
@pytest.mark.parametrize("change", [{"format": 99}, {"manifest": '{"telepathy": true}'}])
def test_what_a_newer_aion_wrote_is_an_error_that_names_it_and_costs_no_tag(
    home: Home, of_models: bool, change: dict[str, object]
) -> None:
    release = _publish(home)
    table = tables.model_releases if of_models else tables.releases
    with home.database.write() as connection:
        connection.execute(update(table).values(**change, aion_version="9.8.7"))
    with pytest.raises(ReleaseError, match=r"(format 99|telepathy).*9\.8\.7"):
        current_release(home.database, home.tenant_id)
    assert retire_old_releases(home) == 0
    assert list(home.lake.table(TABLE.name).tags.list()) == [release.tag]
    assert list_releases(home.database, home.tenant_id)[0].release_id == release.release_id


def test_old_releases_lose_their_tag_and_never_their_manifest(home: Home) -> None:
    made = []
    for number in range(KEPT_RELEASES + 3):
        _add_row(home, f"row-{number}")
        made.append(_publish(home))
    roll_back(home, made[0].release_id, "ana")
    assert retire_old_releases(home) == 2
    assert retire_old_releases(home) == 0
    kept = [made[0], *made[3:]]
    assert set(home.lake.table(TABLE.name).tags.list()) == {release.tag for release in kept}
    for release in kept:
        assert home.lake.table_at(TABLE.name, release.tag).count_rows() == release.index["rows"]
    with pytest.raises(LakeError, match=TABLE.name):
        home.lake.table_at(TABLE.name, made[1].tag)
    assert read_release(home.database, made[1].release_id) == made[1]
    with pytest.raises(ReleaseError, match="not kept any more"):
        roll_back(home, made[1].release_id, "ana")


def test_the_last_models_stay_servable_however_much_content_came_since(home: Home) -> None:
    with_models = [_publish(home, _other_models(number)) for number in range(KEPT_RELEASES)]
    for number in range(KEPT_RELEASES + 2):
        _add_row(home, f"row-{number}")
        _publish(home, with_models[-1].models)
    retire_old_releases(home)
    tags = set(home.lake.table(TABLE.name).tags.list())
    assert {release.tag for release in with_models[:-1]} <= tags


def test_another_tenant_keeps_its_releases_and_tags(home: Home) -> None:
    other = Home(home.settings.model_copy(update={"tenant_id": "other"}))
    other.database = home.database
    theirs = publish(
        other, {"table": TABLE.name, "version": 2, "rows": 1, "data_version": "t"}, MODELS, Publication("them")
    )
    for number in range(KEPT_RELEASES + 1):
        _add_row(home, f"row-{number}")
        _publish(home)
    assert retire_old_releases(home) == 1
    assert current_release(home.database, "other") == theirs
    assert home.lake.table_at(TABLE.name, theirs.tag).count_rows() == 1


def test_a_tag_without_a_release_goes_and_tags_of_others_stay(home: Home) -> None:
    release = _publish(home)
    home.lake.set_tag(TABLE.name, "release-0000000000000000")
    home.lake.set_tag(TABLE.name, "somebody-elses")
    retire_old_releases(home)
    assert set(home.lake.table(TABLE.name).tags.list()) == {release.tag, "somebody-elses"}


def test_rolling_back_the_models_keeps_the_content(home: Home) -> None:
    before = _publish(home)
    _publish(home, _other_models(4))
    _add_row(home, "b")
    bad = _publish(home, _other_models(4))
    assert models_before(home) == before.model_release_id
    now = roll_back_models(home, models_before(home), "ana")
    assert now.models == MODELS and now.index == bad.index
    assert current_release(home.database, home.tenant_id) == now
    with pytest.raises(ReleaseError, match="no models of before"):
        models_before(home)


def test_rolling_back_a_release_brings_its_content_back(home: Home) -> None:
    first = _publish(home)
    _add_row(home, "b")
    _publish(home)
    assert release_before(home) == first.release_id
    assert roll_back(home, first.release_id, "ana") == first
    assert current_release(home.database, home.tenant_id) == first
    with pytest.raises(ReleaseError, match="no release of before"):
        release_before(home)


def test_every_switch_is_an_event_with_who_did_it(home: Home) -> None:
    first = _publish(home)
    _add_row(home, "b")
    second = _publish(home)
    roll_back(home, first.release_id, "ana")
    with home.database.read() as connection:
        asked = select(tables.events.c.body).where(tables.events.c.kind == "release").order_by(tables.events.c.event_id)
        told = [(body["action"], body["before"], body["by"]) for body in connection.execute(asked).scalars()]
    assert told == [
        ("published", "", "run:1"),
        ("published", first.release_id, "run:1"),
        ("rolled_back", second.release_id, "ana"),
    ]
