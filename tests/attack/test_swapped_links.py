"""A link that is put in the place of a file or a folder while AION reads it leads nowhere."""

import threading
from collections.abc import Callable
from pathlib import Path

import counts
import pytest

from aion_assets.core.collect.connector import CollectionJob
from aion_assets.core.collect.folder import FolderConnector
from aion_assets.core.records import CollectedPage, Source
from aion_assets.core.settings import Settings

SECRET = b"what only AION's own user may read"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "a.txt").write_bytes(SECRET)
    return folder


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"a harmless file")
    (folder / "sub" / "a.txt").write_bytes(b"another one")
    return folder


def swap(place: Path, other: Path, stop: threading.Event) -> None:
    """Put the one in the place of the other, again and again."""
    spare = place.with_name(".spare")
    spare.symlink_to(other)
    kept = place.with_name(".kept")
    while not stop.is_set():
        place.rename(kept)
        spare.rename(place)
        place.rename(spare)
        kept.rename(place)


SWAPS: dict[str, Callable[[Path, Path], tuple[Path, Path]]] = {
    "a file": lambda watched, outside: (watched / "a.txt", outside / "a.txt"),
    "a folder": lambda watched, outside: (watched / "sub", outside),
    "a folder of a link's target": lambda watched, outside: (watched / "sub", outside),
}


@pytest.mark.parametrize("what", SWAPS)
def test_nothing_outside_is_read(what: str, watched: Path, outside: Path, settings: Settings) -> None:
    if "link" in what:
        (watched / "link.txt").symlink_to("sub/a.txt")
    stop = threading.Event()
    swapper = threading.Thread(target=swap, args=(*SWAPS[what](watched, outside), stop))
    swapper.start()
    rounds, read, stolen = counts.amount(1_500, 15_000), 0, 0

    def emit(page: CollectedPage) -> None:
        nonlocal read, stolen
        read += page.body is not None
        stolen += page.body == SECRET

    source = Source("s1", "default", "folder", str(watched), "a source", 0, 10, 1_000)
    try:
        for _ in range(rounds):
            FolderConnector().collect(CollectionJob(source, settings, {}, "now"), emit, lambda progress: None)
    finally:
        stop.set()
        swapper.join()
    counts.note("files of a folder while links were swapped in", read, stolen)
    assert read and not stolen
