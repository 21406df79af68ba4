"""What cannot be read is left out: an older release answers and says so, and the next run makes the index anew."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import counts
import pytest
from sqlalchemy import select, update
from workbench import Workbench, article, write_files

from aion_assets.core.database import tables
from aion_assets.core.database.engine import open_database
from aion_assets.core.errors import LakeError
from aion_assets.core.index import soundness
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import EMBEDDINGS, KNOWLEDGE, kind_of
from aion_assets.core.release.manifest import canonical
from aion_assets.core.release.releases import current_release, list_releases
from aion_assets.core.settings import load_settings
from aion_assets.core.sources.due import due_runs
from aion_assets.core.sources.store import mark_pipeline
from aion_assets.core.steps.claims import every_chunk_is_embedded
from aion_assets.core.steps.release import unreadable
from aion_assets.defs.corpus.assets import pipeline_version
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.local.foreground import run_due
from aion_serving.answering.assistant import Assistant

LAVENDER = "What does the handbook say of lavender?"


@pytest.fixture(scope="module")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a release of two documents and a newer one of three."""
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AION_HOME", str(folder / "home"))
        patch.delenv("AION_DATABASE_URL", raising=False)
        bench = Workbench(load_settings())
        source = bench.add(write_files(folder / "files", a_md=article("lavender", 6), b_md=article("bicycles", 6)))
        bench.run(source)
        write_files(folder / "files", c_md=article("tea", 6))
        bench.run(source)
        for path in (*(folder / "files").iterdir(), folder / "files"):
            os.utime(path, (0, 0))  # a file as new as its collection would be looked at once more
        bench.database.engine.dispose()
        open_database.cache_clear()
    return folder / "home"


@pytest.fixture
def bench(two_releases: Path, home: Path) -> Iterator[Workbench]:
    shutil.copytree(two_releases, home)
    made = Workbench(load_settings())
    yield made
    made.database.engine.dispose()


def _newest_data(bench: Workbench) -> Path:
    """The file that only the newer release reads."""
    assert bench.lake.folder is not None
    folder = bench.lake.folder / f"{bench.knowledge_table}.lance" / "data"
    return max(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)


def cut(bench: Workbench) -> None:
    file = _newest_data(bench)
    os.truncate(file, file.stat().st_size // 2)


def overwrite(bench: Workbench) -> None:
    file = _newest_data(bench)
    file.write_bytes(b"\xaa" * file.stat().st_size)


def remove_tag(bench: Workbench) -> None:
    assert bench.lake.folder is not None
    tag = current_release(bench.database, bench.tenant_id).tag
    (bench.lake.folder / f"{bench.knowledge_table}.lance" / "_refs" / "tags" / f"{tag}.json").unlink()


def spoil_calibration(bench: Workbench) -> None:
    """Models of their own for the newest release, whose calibration nothing can be made of."""
    current = current_release(bench.database, bench.tenant_id)
    models = json.loads(current.models.text) | {"calibration": {"features": ["nobody's"]}}
    with bench.database.write() as connection:
        row = connection.execute(select(tables.model_releases)).mappings().first()
        assert row is not None
        spoilt = {**row, "model_release_id": "0" * 64, "manifest": canonical(models)}
        connection.execute(tables.model_releases.insert().values(**spoilt))
        newest = tables.releases.c.release_id == current.release_id
        connection.execute(update(tables.releases).where(newest).values(model_release_id="0" * 64))


def spoil_manifest(bench: Workbench) -> None:
    current = current_release(bench.database, bench.tenant_id)
    newest = tables.releases.c.release_id == current.release_id
    with bench.database.write() as connection:
        connection.execute(update(tables.releases).where(newest).values(manifest='{"index": {"tab'))


DAMAGES = [cut, spoil_calibration, *([overwrite, remove_tag, spoil_manifest] if counts.LONG else [])]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_release_before_answers_and_says_so_until_a_run_has_repaired_what_is_damaged(
    bench: Workbench, damage: Callable[[Workbench], None]
) -> None:
    newest, before = (row.release_id for row in list_releases(bench.database, bench.tenant_id))
    assert unreadable(bench.home) == ""
    damage(bench)
    assistant = Assistant(bench.settings)
    answer = assistant.ask(LAVENDER)
    assert answer.release_id == before
    assert newest[:12] in answer.notice
    counts.note("newest releases that cannot be read", 1)
    assert [hit.url.rpartition("/")[2] for hit in assistant.search("handbook of lavender", 1)] == ["a.md"]
    assert newest[:12] in assistant.notice
    assert unreadable(bench.home)

    bench.index()
    released = bench.release().release_id
    counts.note("damaged indexes that a run makes anew", 1)
    assert unreadable(bench.home) == ""
    fresh = Assistant(bench.settings)
    assert [hit.url.rpartition("/")[2] for hit in fresh.search("handbook of tea", 1)] == ["c.md"]
    assert (fresh.notice, fresh.ask(LAVENDER).release_id) == ("", released)
    assert assistant.ask(LAVENDER).release_id == released or assistant.notice


def test_a_server_that_runs_goes_on_with_the_release_before_when_its_own_is_damaged(bench: Workbench) -> None:
    _, before = (row.release_id for row in list_releases(bench.database, bench.tenant_id))
    assistant = Assistant(bench.settings)
    assert assistant.ask(LAVENDER).notice == ""
    cut(bench)
    counts.note("newest releases that cannot be read", 1)
    assert assistant.search("handbook of lavender", 1)[0].url.endswith("a.md")
    assert assistant.ask(LAVENDER).release_id == before


def _damage_whole_index(bench: Workbench, what: str) -> None:
    assert bench.lake.folder is not None
    table = bench.lake.folder / f"{bench.knowledge_table}.lance"
    if what == "table":
        shutil.rmtree(table)
    for file in (table / what).rglob("*.*") if what != "table" else ():
        os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize("what", ["_indices", *(["table", "_versions", "data"] if counts.LONG else [])])
def test_an_index_of_which_nothing_can_be_read_is_made_anew_from_chunks_and_vectors(
    what: str, bench: Workbench
) -> None:
    _damage_whole_index(bench, what)
    with pytest.raises(LakeError):
        Assistant(bench.settings).search("handbook of tea", 1)
    again = Workbench(bench.settings)
    assert unreadable(again.home)
    again.index()
    again.release()
    counts.note("damaged indexes that a run makes anew", 1)
    assert unreadable(again.home) == ""
    assert again.found("handbook of tea")[0] == "c.md"


def _mark_up_to_date(bench: Workbench) -> None:
    source_id = bench.rows("pages", "source_id")[0]["source_id"]
    version = pipeline_version(KnowledgeBaseResource())
    mark_pipeline(bench.database, source_id, version)
    assert due_runs(bench.database, bench.settings, version, look_into_folders=True) == []


def test_a_run_with_nothing_due_repairs_the_index_all_the_same(bench: Workbench) -> None:
    _mark_up_to_date(bench)
    _damage_whole_index(bench, "table")
    summary = run_due(quiet=True)
    assert summary.succeeded and [run["job"] for run in summary.runs] == ["reindex"]
    counts.note("damaged indexes that a run makes anew", 1)
    assert Workbench(bench.settings).found("handbook of tea")[0] == "c.md"


def _vectors(bench: Workbench) -> Path:
    assert bench.lake.folder is not None
    return max((bench.lake.folder / f"{bench.embeddings_table}.lance" / "data").iterdir())


def gone(file: Path) -> None:
    file.unlink()


def half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def noise(file: Path) -> None:
    content = file.read_bytes()
    begin = len(content) // 4
    file.write_bytes(content[:begin] + b"\xaa" * begin + content[2 * begin :])


@pytest.mark.parametrize("damage", [noise, *([gone, half] if counts.LONG else [])])
def test_vectors_that_cannot_be_read_are_made_anew_from_the_chunks_and_the_person_is_told(
    bench: Workbench, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(row["text_hash"] for row in bench.rows(bench.embeddings_table, "text_hash"))
    _mark_up_to_date(bench)
    damage(_vectors(bench))
    counts.note("damaged vectors that a run makes anew", 1)
    assert Assistant(bench.settings).search("handbook of lavender", 1)[0].url.endswith("a.md"), "answers go on"
    assert run_due().succeeded
    assert "The vectors are made anew from the chunks: " in capsys.readouterr().err
    again = Workbench(bench.settings)
    assert sorted(row["text_hash"] for row in again.rows(again.embeddings_table, "text_hash")) == before
    assert every_chunk_is_embedded(again.lake, again.model.embedder_id).holds
    assert again.found("handbook of tea")[0] == "c.md"


def test_what_was_read_whole_is_read_again_only_after_a_file_was_touched(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = soundness.complaint_of

    def complaint_of(lake: Lake, table: str, tag: str = "") -> tuple[int, str]:
        read.append(kind_of(table))
        return real(lake, table, tag)

    monkeypatch.setattr(soundness, "complaint_of", complaint_of)
    _mark_up_to_date(bench)
    assert run_due(quiet=True).runs == []
    assert {*read} == {EMBEDDINGS, KNOWLEDGE}, "a copy of a home was read by nobody yet"
    read.clear()
    assert run_due(quiet=True).runs == []
    assert read == []

    file = _newest_data(bench)
    times = file.stat()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] + b"\xaa" * (len(content) - len(content) // 2))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # as nothing had been
    assert [run["job"] for run in run_due(quiet=True).runs] == ["reindex"]
    assert KNOWLEDGE in read
    assert Workbench(bench.settings).found("handbook of tea")[0] == "c.md"
    read.clear()
    assert run_due(quiet=True).runs == []
    assert read == [], "what a run has just made need not be read by the next"

    table = next(table for table in bench.lake.names() if kind_of(table) == KNOWLEDGE)
    with pytest.raises(LakeError):
        list(bench.lake.rows(table, ["no_such_column"]))
    assert run_due(quiet=True).runs == []
    assert KNOWLEDGE in read, "an error of the table takes back what was found of it"
