import sys
from pathlib import Path

import pytest

from aion_assets.core.lake.code_version import source_version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "book.py").write_text("PAGES = 3\n")
    (folder / "titles.json").write_text('["one"]')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shelf", raising=False)  # of the test before
    return folder


def test_code_and_data_make_another_version_and_comments_do_not(package: Path) -> None:
    names = ("shelf.book", "shelf:titles.json")
    first = source_version(*names)
    (package / "book.py").write_text("# three of them\n\nPAGES = 3\n")
    assert source_version(*names) == first
    (package / "titles.json").write_text('["two"]')
    second = source_version(*names)
    assert second != first
    (package / "book.py").write_text("PAGES = 4\n")
    assert source_version(*names) not in (first, second)


def test_a_package_counts_with_all_its_modules(package: Path) -> None:
    whole = source_version("shelf")
    (package / "cover.py").write_text("COLOUR = 'red'\n")
    assert source_version("shelf") != whole


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_shelf"):
        source_version("no_such_shelf")
