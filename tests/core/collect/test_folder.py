"""Watched folders and uploads, on real files."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest
from collecting import Site, collect, html, moved, source_of

from aion_assets.core.collect.connector import CollectionJob, vanished
from aion_assets.core.collect.kinds import connector_of, kind_of
from aion_assets.core.collect.places import walk
from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.errors import SourceError
from aion_assets.core.records import CollectedPage, Outcome
from aion_assets.core.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.md").write_text("# A")
    (folder / "sub" / "b.TXT").write_text("b")
    return folder


def test_every_file_ends_with_one_outcome(folder: Path, tmp_path: Path, loopback_settings: Settings) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (folder / "leak.txt").symlink_to(outside / "secret.txt")
    (folder / "leaks").symlink_to(outside)
    (folder / "dangling.txt").symlink_to(folder / "nowhere")
    (folder / "alias.md").symlink_to(folder / "a.md")
    (folder / "sub" / "circle").symlink_to(folder)
    (folder / "big.txt").write_bytes(b"x" * 2_001)
    (folder / "empty.png").write_bytes(b"")
    (folder / "dump.jsonl").write_text("{}")
    (folder / "program.exe").write_bytes(b"MZ")
    (folder / "no extension").write_text("?")
    os.mkfifo(folder / "pipe.txt")
    for name in (".hidden.txt", "~$a.docx", ".DS_Store", "a.md.tmp", "a.md~", ".git"):
        (folder / name).write_text("never read")
    home = folder / "aion"
    home.mkdir()
    (home / "own.md").write_text("never read")

    settings = loopback_settings.model_copy(update={"max_fetch_bytes": 2_000, "home": home})
    collected = collect(source_of("folder", str(folder)), settings)

    assert {name: page.outcome.value for name, page in collected.rows.items()} == {
        "a.md": "stored",
        "alias.md": "stored",
        "big.txt": "too-big",
        "dangling.txt": "off-domain",
        "dump.jsonl": "wrong-type",
        "empty.png": "stored",
        "leak.txt": "off-domain",
        "leaks": "off-domain",
        "no extension": "wrong-type",
        "pipe.txt": "wrong-type",
        "program.exe": "wrong-type",
        "sub/b.TXT": "stored",
    }
    assert list(collected.rows) == sorted(collected.rows), "the order is fixed"
    assert collected.report.complete
    assert "aion source add" in collected.rows["dump.jsonl"].reason
    page = collected.rows["sub/b.TXT"]
    assert (page.body, page.content_type, page.filename) == (b"b", "text/plain", "b.TXT")
    assert page.url == (folder / "sub" / "b.TXT").as_uri()


def test_only_what_changed_is_read_again(folder: Path, loopback_settings: Settings) -> None:
    source = source_of("folder", str(folder))
    (folder / "gone.md").write_text("gone")
    (folder / "touched.md").write_text("touched")
    first = collect(source, loopback_settings)
    (folder / "gone.md").unlink()
    (folder / "a.md").write_text("# B")
    os.utime(folder / "touched.md", ns=(1, 1))
    second = collect(source, loopback_settings, first.known(), "second")
    assert {name: page.outcome.value for name, page in second.rows.items()} == {
        "a.md": "stored",
        "touched.md": "unchanged",
        "sub/b.TXT": "unchanged",
    }
    assert second.report.fetched_bytes == len("# B") + len("touched")
    assert second.rows["touched.md"].etag.startswith("1-7-")
    assert vanished(first.known(), second.rows, second.report) == {"gone.md"}


def test_a_killed_collection_goes_on_where_it_was(folder: Path, loopback_settings: Settings) -> None:
    source = source_of("folder", str(folder))
    first = collect(source, loopback_settings)
    kept = {"a.md": first.known("now")["a.md"]}
    rest = collect(source, loopback_settings, kept, "now")
    assert list(rest.rows) == ["sub/b.TXT"]
    assert rest.report.resumed == 1
    assert vanished(kept, rest.rows, rest.report) == set()


def test_names_that_are_no_text_survive(tmp_path: Path, shared_data: Path, loopback_settings: Settings) -> None:
    import json

    folder = tmp_path / "watched"
    folder.mkdir()
    names = {b"caf\xe9.txt", "café.txt".encode(), b"caf\\xe9.txt", b"new\nline.txt", "\u202egnp.txt".encode()}
    for text in json.loads((shared_data / "bad" / "blns" / "blns.json").read_text()):
        name = text.replace("/", "_").replace("\0", "_")[:60].encode() + b".txt"
        if not name.startswith((b".", b"~")):
            names.add(name)
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(name)
    collected = collect(source_of("folder", str(folder)), loopback_settings)
    assert collected.report.counts == {Outcome.STORED: len(names)}
    assert {page.body for page in collected.rows.values()} == names
    for page in collected.rows.values():
        page.locator.encode(), page.url.encode("ascii"), page.filename.encode()


def test_a_folder_that_is_away_or_empty_forgets_nothing(
    folder: Path, tmp_path: Path, loopback_settings: Settings
) -> None:
    source = source_of("folder", str(folder))
    first = collect(source, loopback_settings)
    folder.rename(tmp_path / "elsewhere")
    for reason in ("the folder does not exist", "the folder holds no files"):
        away = collect(source, loopback_settings, first.known(), "away")
        assert {page.reason for page in away.rows.values()} == {reason}
        assert away.report.failure == reason
        assert vanished(first.known(), away.rows, away.report) == set()
        folder.mkdir(exist_ok=True)


@pytest.fixture
def locked_folder(loopback_settings: Settings) -> Iterator[Path]:
    """A watched folder, for as long as the test is nobody: the administrator may look into every folder."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for inner in ("closed", "listed"):
            (folder / inner).mkdir()
            (folder / inner / "kept.md").write_text("kept")
        (folder / "a.md").write_text("# A")
        (folder / "closed-not.md").write_text("beside it")
        administrator = os.geteuid() == 0
        if administrator:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, 65534, 65534)
            os.seteuid(65534)
        yield folder
        if administrator:
            os.seteuid(0)
        for path in folder.iterdir():
            path.chmod(0o700)


def test_a_deleted_file_is_gone_although_another_folder_cannot_be_read(
    locked_folder: Path, loopback_settings: Settings
) -> None:
    source = source_of("folder", str(locked_folder))
    known = collect(source, loopback_settings).known()
    assert len(known) == 4
    (locked_folder / "closed").chmod(0)
    (locked_folder / "listed").chmod(0o400)
    (locked_folder / "closed-not.md").unlink()
    second = collect(source, loopback_settings, known, "second")
    assert {name: page.outcome.value for name, page in second.rows.items()} == {
        "a.md": "unchanged",
        "closed": "error",
        "listed/kept.md": "error",
    }
    assert second.report.failure == "permission denied, so the folder cannot be listed"
    assert vanished(known, second.rows, second.report) == {"closed-not.md"}

    (locked_folder / "a.md").unlink()
    (locked_folder / "listed").chmod(0o700)
    (locked_folder / "listed" / "kept.md").unlink()
    third = collect(source, loopback_settings, known, "third")
    assert third.rows.keys() == {"closed", "."}, "no file at all: the disk may be away"
    assert vanished(known, third.rows, third.report) == set()


def test_addresses_of_folders_are_recognised_and_made_absolute(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from aion_assets.core.collect.folder import FolderConnector

    monkeypatch.chdir(tmp_path)
    assert kind_of("watched") == kind_of(str(folder)) == kind_of(folder.as_uri()) == "folder"
    assert FolderConnector.normal_address("watched") == str(folder)
    for address in ("./nowhere", str(folder / "a.md"), "nonsense", "", "~nobody-of-this-name/x", "/\0"):
        with pytest.raises(SourceError):
            kind_of(address)


def test_uploads_are_files_and_links_below_the_home(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/moved": moved("/page"), "/page": html(text="page", etag='"1"'), "/gone": html(status=404)}
    source = source_of("uploads", "uploads")
    folder = uploads_folder(loopback_settings, source.source_id)
    assert collect(source, loopback_settings).report.complete, "nothing was uploaded yet"

    (folder / "note.md").write_text("note")
    (folder / "page.url").write_text(f"[InternetShortcut]\r\nURL={site.root}/moved\r\n")
    (folder / "gone.url").write_text(f"{site.root}/gone\n")
    (folder / "inside.url").write_text("http://169.254.169.254/latest/")
    (folder / "empty.url").write_text("no address")
    first = collect(source, loopback_settings)
    assert {name: page.outcome.value for name, page in first.rows.items()} == {
        "note.md": "stored",
        "page.url": "stored",
        "gone.url": "gone",
        "inside.url": "error",
        "empty.url": "error",
    }
    page = first.rows["page.url"]
    assert (page.url, page.links, page.content_type) == (
        f"{site.root}/page",
        (f"{site.root}/moved",),
        "text/html; charset=utf-8",
    )

    second = collect(source, loopback_settings, first.known(), "second")
    assert second.rows["page.url"].outcome is Outcome.UNCHANGED
    assert site.conditional["/page"] == 1

    (folder / "page.url").write_text(f"{site.root}/page")
    (folder / "note.md").unlink()
    third = collect(source, loopback_settings, second.known(), "third")
    assert third.rows["page.url"].outcome is Outcome.STORED, "what was known is of another address"
    assert vanished(second.known(), third.rows, third.report) == {"note.md"}


def test_an_error_of_the_caller_reaches_it(folder: Path, loopback_settings: Settings) -> None:
    from aion_assets.core.collect.folder import FolderConnector

    def full(page: CollectedPage) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        FolderConnector().collect(
            CollectionJob(source_of("folder", str(folder)), loopback_settings, {}, "c"), full, lambda _: None
        )


@pytest.fixture
def deep_folder() -> Iterator[Path]:
    """Leaves at level 1 500 and 2 500. Removed by `rm`, as Python's own removal does not go so deep."""
    made = Path(mkdtemp())
    try:
        (made / "top.txt").write_text("top")
        at = os.open(made, os.O_RDONLY)
        for level in range(1, 2_501):
            os.mkdir("d", dir_fd=at)
            inner = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = inner
            if level in (1_500, 2_500):
                with os.fdopen(os.open("leaf.txt", os.O_CREAT | os.O_WRONLY, dir_fd=at), "w") as file:
                    file.write("leaf")
        os.close(at)
        yield made
    finally:
        subprocess.run(["rm", "-rf", str(made)], check=True)


def test_folders_in_folders_are_read_to_any_depth_that_a_path_can_have(
    deep_folder: Path, loopback_settings: Settings
) -> None:
    """Deeper than Python's calls may be nested; what lies deeper still is said to be unread."""
    collected = collect(source_of("folder", str(deep_folder)), loopback_settings)
    outcomes = collected.outcomes()
    assert outcomes["top.txt"] == outcomes["d/" * 1_500 + "leaf.txt"] == "stored"
    assert len(collected.report.unread) == 1
    assert "file name too long" in collected.report.failure
    assert sum(len(files) for _, files in walk(deep_folder, loopback_settings)) == 2, (
        "the look for changes goes as deep"
    )


def test_a_folder_that_is_a_link_is_followed_to_where_it_leads_now(tmp_path: Path, loopback_settings: Settings) -> None:
    for edition in ("1", "2"):
        (tmp_path / edition).mkdir()
        (tmp_path / edition / "vale.txt").write_text(f"edição {edition}")
        os.utime(tmp_path / edition / "vale.txt", ns=(1, 1))  # written within one tick of the clock
    link = tmp_path / "atual"
    link.symlink_to(tmp_path / "1")
    kind, address = kind_of(str(link)), str(link)
    source = source_of(kind, connector_of(kind).normal_address(address))
    first = collect(source, loopback_settings)
    link.unlink()
    link.symlink_to(tmp_path / "2")
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.rows["vale.txt"].body == "edição 2".encode()
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    lost = collect(source, loopback_settings, second.known(), "third")
    assert not lost.report.complete and vanished(second.known(), lost.rows, lost.report) == set()
