"""`aion doctor` names every damage: it opens and reads what it judges."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import counts
import pytest
from sqlalchemy import update
from workbench import Workbench, article, write_files

from aion_assets.core.database import tables
from aion_assets.core.database.engine import open_database
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import SFT_ROWS
from aion_assets.core.release.manifest import canonical
from aion_assets.core.release.releases import current_release
from aion_assets.core.settings import load_settings
from aion_assets.local.diagnosis import examine
from aion_assets.local.foreground import dagster_instance
from trainer import adapters


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AION_HOME", str(folder / "home"))
        patch.setenv("AION_DATABASE_URL", "")
        bench = Workbench(load_settings())
        texts = {f"a{number}_md": article(f"subject {number}") for number in range(20)}
        bench.run(bench.add(write_files(folder / "files", **texts)))
        bench.database.engine.dispose()
        with dagster_instance():
            pass
        open_database.cache_clear()
        assert {finding.state for finding in examine()} <= {"good", "missing"}, "before anything is damaged"
        open_database(load_settings()).engine.dispose()
        open_database.cache_clear()
    return folder / "home"


def largest(folder: Path, pattern: str) -> Path:
    return max((path for path in folder.rglob(pattern) if path.is_file()), key=lambda path: path.stat().st_size)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 4 : 3 * len(content) // 4] = b"\xaa" * (3 * len(content) // 4 - len(content) // 4)
    path.write_bytes(content)


def remove(path: Path) -> None:
    path.unlink()


def text(path: Path) -> None:
    path.write_bytes(b"this is no database at all, " * 400)


DAMAGES: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "the database cut": ("", "aion.sqlite", cut),
    "the database overwritten": ("", "aion.sqlite", overwrite),
    "the database replaced by text": ("", "aion.sqlite", text),
    "dagster's runs cut": ("dagster", "runs.db", cut),
    "dagster's runs replaced by text": ("dagster", "runs.db", text),
    "dagster's schedules overwritten": ("dagster", "schedules.db", overwrite),
    **{
        f"{table}: {how.__name__} {what}": (f"lake/{table}.lance/{what}", "*", how)
        for table in ("pages", "bodies", "documents", "curated_documents", "chunks")
        for what, how in (("data", cut), ("data", remove), ("data", overwrite))
    },
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_named(damage: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    monkeypatch.setenv("AION_HOME", str(home))
    monkeypatch.setenv("AION_DATABASE_URL", "")
    where, pattern, how = DAMAGES[damage]
    how(largest(home / where, pattern))
    broken = [finding for finding in examine() if finding.state == "broken"]
    open_database.cache_clear()
    counts.note("damages that the doctor looks for", 1, not broken)
    assert broken, "it says that all is well"
    assert all("Traceback" not in finding.detail for finding in broken)


@pytest.mark.parametrize("kind", ["knowledge", "embeddings"])
@pytest.mark.parametrize("how", [cut, remove, overwrite])
def test_a_damage_of_what_is_searched_is_named(
    kind: str, how: Callable[[Path], None], sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    monkeypatch.setenv("AION_HOME", str(home))
    monkeypatch.setenv("AION_DATABASE_URL", "")
    (folder,) = home.glob(f"lake/{kind}*.lance")
    how(largest(folder / "data", "*"))
    broken = [finding.what for finding in examine() if finding.state == "broken"]
    open_database.cache_clear()
    counts.note("damages that the doctor looks for", 1, not broken)
    assert broken, "it says that all is well"


def _with_models(home: Path, **changed: object) -> None:
    """The current release, as if it named other models."""
    database = open_database(load_settings())
    current = current_release(database, load_settings().tenant_id)
    models = json.loads(current.models.text) | changed
    with database.write() as connection:
        these = tables.model_releases.c.model_release_id == current.model_release_id
        connection.execute(update(tables.model_releases).where(these).values(manifest=canonical(models)))
    database.engine.dispose()


def spoil_calibration(home: Path) -> None:
    _with_models(home, calibration={"features": ["nobody's"]})


def lose_adapted_model(home: Path) -> None:
    _with_models(home, passage_embedder={"id": "x", "name": "adapted-0123456789abcdef", "dimension": 384})


def spoil_adapter(home: Path) -> None:
    folder = home / "adapters" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / adapters.CONFIG).write_text("{}")
    (folder / adapters.WEIGHTS).write_bytes(bytes(1_000))
    (folder / adapters.RECORD).write_text(json.dumps({"digest": adapters._digest(folder)}))
    assert adapters.complaint_of(folder) == ""
    cut(folder / adapters.WEIGHTS)


def spoil_hosts(home: Path) -> None:
    (home / "hosts.json").write_text('{"intranet.example": "priv')


def spoil_structures(home: Path) -> None:
    (folder,) = home.glob("lake/knowledge*.lance")
    for file in folder.glob("_indices/**/*.*"):
        cut(file)


def spoil_learned_table(home: Path) -> None:
    lake = Lake(load_settings().lake_uri)
    row = {field.name: "x" for field in SFT_ROWS.schema if field.type == "string"}
    lake.upsert(SFT_ROWS, [row | {"doc_ids": ["x"], "chunk_ids": ["x"]}])
    cut(largest(home / f"lake/{SFT_ROWS.name}.lance/data", "*"))


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (spoil_calibration, {"release"}),
        (lose_adapted_model, {"release"}),
        (spoil_adapter, {"adapters"}),
        (spoil_hosts, {"home"}),
        (spoil_structures, {"tables", "release"}),
        (spoil_learned_table, {"tables"}),
    ],
)
def test_a_damage_of_what_was_learned_or_noted_is_named(
    spoil: Callable[[Path], None], named: set[str], sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(sound, home)
    monkeypatch.setenv("AION_HOME", str(home))
    monkeypatch.setenv("AION_DATABASE_URL", "")
    open_database.cache_clear()
    spoil(home)
    broken = {finding.what: finding.detail for finding in examine() if finding.state == "broken"}
    open_database.cache_clear()
    counts.note("damages that the doctor looks for", 1, not broken)
    assert broken.keys() == named
    assert not any("Error:" in detail for detail in broken.values()), "what nobody expected"


def test_a_home_that_cannot_be_written_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aion_assets.local import writable

    def read_only(**_options: object) -> None:
        raise OSError(30, "Read-only file system")

    home.mkdir()
    monkeypatch.setattr(writable.tempfile, "TemporaryFile", read_only)
    found = {finding.what: finding for finding in examine()}
    assert found["home"].state == "broken"
    assert "Read-only file system" in found["home"].detail
    counts.note("damages that the doctor looks for", 1)
