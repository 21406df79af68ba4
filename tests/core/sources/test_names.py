import os
from pathlib import Path

import pytest

from aion_assets.core.database.engine import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings
from aion_assets.core.sources.options import change_options
from aion_assets.core.sources.store import add_source, get_source, list_sources

Either = tuple[Database, Settings]


def test_a_name_that_finds_another_source_or_none_is_given_to_no_new_one(
    either_database: Either, tmp_path: Path
) -> None:
    assert add_source(*either_database, str(tmp_path), name="Docs!").source_id == "docs"
    for taken in ("docs", "Docs!"):
        with pytest.raises(SourceError, match=f"'{taken}' is the id or name of source docs"):
            add_source(*either_database, "https://example.org/", name=taken)
    with pytest.raises(SourceError, match="cannot have the name ' '"):
        add_source(*either_database, "https://example.org/", name=" ")
    assert len(list_sources(*either_database)) == 1


def test_places_of_one_name_become_sources_that_are_told_apart(either_database: Either, tmp_path: Path) -> None:
    def add(place: str) -> tuple[str, str]:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        source = add_source(*either_database, str(folder))
        return source.source_id, source.name

    assert add("one/Docs") == ("docs", "Docs")
    assert add("two/Docs") == ("docs-2", "docs-2")
    change_options(*either_database, "docs", name="guide")
    assert add("guide") == ("guide-2", "guide-2"), "as an id it would find the first"
    for found in ("docs", "docs-2", "guide-2"):
        assert get_source(*either_database, found).source.source_id == found


def test_bytes_that_are_no_text_are_refused_in_an_address_and_in_a_name(
    either_database: Either, tmp_path: Path
) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    Path(folder).mkdir()
    dump = Path(folder, "dump.jsonl")
    dump.write_text("{}")
    for address, name in ((folder, ""), (str(dump), ""), (str(tmp_path), os.fsdecode(b"caf\xe9"))):
        with pytest.raises(SourceError, match=r"caf\\udce9.* not UTF-8"):
            add_source(*either_database, address, name=name)
