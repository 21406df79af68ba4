"""A full disk and broken tables: a clear error, the last good state, and a next run that finishes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import counts
import pyarrow as pa
import pytest
from workbench import Workbench, article, write_files

from aion_assets.cli import main
from aion_assets.core.errors import AionError, DiskFullError, LakeError
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import LakeTable
from aion_assets.core.records import Source
from aion_assets.core.settings import load_settings
from aion_assets.local.diagnosis import examine
from aion_serving.answering.assistant import Assistant
from aion_serving.api.uploads import Quota, UploadsFolder

_SIZE = "64m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that a test may fill."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted on Linux by root only")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")
    yield folder
    # Lazily: Lance keeps files open.
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def bench(tmp_path: Path, home: Path) -> Iterator[Workbench]:
    made = Workbench(load_settings())
    yield made
    made.database.engine.dispose()


@contextmanager
def _full(disk: Path, but: int = 0) -> Iterator[None]:
    """Inside, nothing is left on the disk but so many bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        block = b"x" * 1_000_000
        while block:
            try:
                file.write(block)
            except OSError:
                block = block[: len(block) // 2]
        os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size - but)
    try:
        yield
    finally:
        filler.unlink()


def test_every_step_says_that_the_disk_is_full_and_goes_on_when_it_is_not(
    small_disk: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AION_HOME", str(small_disk / "home"))
    bench = Workbench(load_settings())
    folder = write_files(tmp_path / "f", a_md=article("lavender", 30))
    source = bench.add(folder)
    bench.run(source)
    write_files(folder, a_md=article("lavender", 31), b_md=article("bicycles", 30))
    steps: list[Callable[[], object]] = [
        lambda: bench.collect(source),
        lambda: bench.parse(source),
        lambda: bench.curate(source),
        lambda: bench.chunk(source),
        lambda: bench.embed(source),
        bench.index,
        bench.release,
    ]
    for number, step in enumerate(steps):
        with _full(small_disk):
            with pytest.raises(DiskFullError, match=r"No space is left.*"):
                step()
            assert bench.found("lavender handbook") == ["a.md"], f"step {number}: the release before must serve"
        step()
    assert set(bench.found("handbook of bicycles")) == {"a.md", "b.md"}
    assert bench.due(source) == ""
    bench.database.engine.dispose()


_VERBS = {
    "run": ["run"], "run --json": ["run", "--json"], "up": ["up"], "add": ["source", "add", "FOLDER"],
    "ask": ["ask", "lavender"], "train": ["train", "start"], "pause": ["source", "pause", "files"],
}  # fmt: skip


def _said(words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit status of a command line in this process, and all that it printed."""
    monkeypatch.setattr(sys, "argv", ["aion", *words])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    return int(end.value.code or 0), printed.out + printed.err


@pytest.mark.parametrize("state", ["read-only", "full"])
def test_no_verb_meets_a_disk_that_cannot_be_written_with_a_traceback(
    state: str,
    small_disk: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AION_HOME", str(small_disk / "home"))
    bench = Workbench(load_settings())
    bench.run(bench.add(write_files(small_disk / "files", a_md=article("lavender", 4))))
    with _full(small_disk) if state == "full" else _read_only(small_disk):
        for verb, words in _VERBS.items():
            status, said = _said([word.replace("FOLDER", str(small_disk)) for word in words], capsys, monkeypatch)
            counts.note("verbs on a full or read-only disk", 1)
            assert status == 1, verb
            assert "Traceback" not in said
            assert "no space is left" in said.lower() or "read-only" in said.lower() or "cannot be written" in said, (
                said
            )
        with pytest.raises(AionError, match="cannot be stored"):
            UploadsFolder(small_disk / "home" / "uploads" / "u", Quota(9, 10**9, 9)).keep_text("a.md", "x" * 9_000)
        assert bench.found("lavender handbook") == ["a.md"], "reading goes on"
        broken = {finding.what for finding in examine() if finding.state == "broken"}
        assert {"home", "database"} <= broken
    assert "database" not in {finding.what for finding in examine() if finding.state == "broken"}
    bench.database.engine.dispose()


@contextmanager
def _read_only(disk: Path) -> Iterator[None]:
    """Mounted over itself: what is open already stays so."""
    subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.skipif(not counts.LONG, reason="part of make faults")
@pytest.mark.parametrize("left", [300_000, 600_000, 1_000_000, 1_500_000, 2_000_000, 4_000_000])
def test_a_run_on_which_the_disk_fills_up_says_so_in_a_line(left: int, small_disk: Path, home: Path) -> None:
    environment = os.environ | {"AION_HOME": str(small_disk / "home")}
    folder = write_files(small_disk / "files", a_md=article("lavender", 400))

    def aion(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "aion_assets", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert aion("source", "add", str(folder), "--auto-approve").returncode == 0
    with _full(small_disk, but=left):
        ran = aion("run")
    counts.note("runs on which the disk fills up", 1, "Traceback" in ran.stderr)
    assert "Traceback" not in ran.stderr
    assert ran.returncode == 0 or "space" in ran.stderr.lower() or "full" in ran.stderr, ran.stderr
    assert aion("run").returncode == 0


def _manifests(bench: Workbench, table: str) -> list[Path]:
    """Newest first."""
    assert bench.lake.folder is not None
    return sorted((bench.lake.folder / f"{table}.lance" / "_versions").glob("*.manifest"))


def _truncate_manifests(bench: Workbench, table: str) -> None:
    for manifest in _manifests(bench, table):
        os.truncate(manifest, manifest.stat().st_size // 2)


def _truncate_data(bench: Workbench, table: str) -> None:
    assert bench.lake.folder is not None
    for file in (bench.lake.folder / f"{table}.lance" / "data").iterdir():
        os.truncate(file, file.stat().st_size // 2)


@pytest.fixture
def source(bench: Workbench, tmp_path: Path) -> Source:
    made = bench.add(write_files(tmp_path / "f", a_md=article("lavender", 6), b_md=article("bicycles", 6)))
    bench.run(made)
    return made


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("pages", _truncate_data),
        ("documents", _truncate_manifests),
        ("curated_documents", _truncate_data),
        ("chunks", _truncate_manifests),
    ],
)
def test_a_broken_table_is_named_and_the_release_serves_on(
    bench: Workbench, source: Source, table: str, damage: Callable[[Workbench, str], None]
) -> None:
    damage(bench, table)
    again = Workbench(bench.settings)
    write_files(Path(source.address), a_md=article("lavender", 7))
    with pytest.raises(LakeError, match=f"'{table}'"):
        again.run(source)
    assert "a.md" in again.found("lavender handbook")
    answer = Assistant(bench.settings).ask("What does the handbook say of lavender?")
    assert (answer.citations or answer.nearest)[0].passage.url.endswith("a.md")
    doctor = subprocess.run(
        [sys.executable, "-m", "aion_assets", "doctor", "--json"],
        env=os.environ | {"AION_HOME": str(bench.settings.home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert doctor.returncode == 1, doctor.stdout
    assert f"'{table}'" in doctor.stdout


def test_a_broken_index_says_so_and_is_not_served_in_part(bench: Workbench, source: Source) -> None:
    _truncate_manifests(bench, bench.knowledge_table)
    with pytest.raises(AionError, match=bench.knowledge_table):
        Workbench(bench.settings).found("lavender handbook")


def test_a_commit_that_power_cut_short_is_as_if_it_had_not_been(bench: Workbench, source: Source) -> None:
    """Lance calls no fsync: after a power cut the newest manifest of an unacknowledged commit may be empty."""
    for table in ("pages", "chunks", bench.knowledge_table):
        before = bench.lake.count(table)
        bench.lake.delete_where(table, "url LIKE '%a.md'")
        assert bench.lake.count(table) < before
        os.truncate(_manifests(bench, table)[0], 0)
        again = Workbench(bench.settings)
        assert again.lake.count(table) == before
    assert "a.md" in again.found("lavender handbook")
    write_files(Path(source.address), c_md=article("tea", 6))
    again.run(source)
    assert again.found("handbook of tea")[0] == "c.md"


def test_whatever_little_room_is_left_a_write_is_whole_or_not_there(small_disk: Path) -> None:
    """With 0, 1, 2 … blocks free, another file of the commit is the first that does not fit."""
    schema = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string())])
    lake = Lake(str(small_disk / "lake"))
    lake.upsert(LakeTable("t", "key", schema), [{"key": f"old {number}", "value": "x" * 100} for number in range(50)])
    outcomes: set[tuple[str, ...]] = set()
    for blocks in range(10):
        rows = [{"key": f"{blocks}/{number}", "value": os.urandom(60).hex()} for number in range(60)]
        writes: dict[str, Callable[[], object]] = {
            "upsert": lambda rows=rows: lake.upsert(LakeTable("t", "key", schema), rows),  # type: ignore[misc]
            "delete": lambda gone=f"old {blocks}": lake.delete("t", "key", [gone]),  # type: ignore[misc]
            "tag": lambda: lake.set_tag("t", "tag"),
        }
        before = lake.count("t")
        expected = {"upsert": len(rows), "delete": -1, "tag": 0}
        failed = []
        with _full(small_disk, but=blocks * 4096):
            for name, write in writes.items():
                try:
                    write()
                except DiskFullError:
                    failed.append(name)
                else:
                    before += expected[name]
                assert Lake(lake.uri).count("t") == before
        outcomes.add(tuple(failed))
        lake.set_tag("t", "tag")
        assert Lake(lake.uri).table_at("t", "tag").count_rows() == before
    assert ("upsert", "delete", "tag") in outcomes and () in outcomes
