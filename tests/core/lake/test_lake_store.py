from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from aion_assets.core.errors import LakeError
from aion_assets.core.ids import short_digest
from aion_assets.core.lake import keys as lake_keys
from aion_assets.core.lake import store as lake_module
from aion_assets.core.lake.conditions import is_in
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import LakeTable

SCHEMA = pa.schema(
    [pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string()), pa.field("body", pa.large_binary())]
)
TABLE = LakeTable("t", "key", SCHEMA)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def _row(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": value, "body": b"x"}


def test_writing_rows_twice_is_writing_them_once(lake: Lake) -> None:
    for _ in range(2):
        lake.upsert(TABLE, [_row("a", "1"), _row("b", "2")])
    assert lake.count("t") == 2


@pytest.mark.parametrize("key", ["it's", "'; DROP TABLE t; --", 'quoted "x"', "ção\n", "%_\\"])
def test_keys_with_quotes_find_their_own_row_only(lake: Lake, key: str) -> None:
    lake.upsert(TABLE, [_row(key, "1"), _row("other", "2")])
    assert [row["value"] for row in lake.rows("t", ["value"], is_in("key", [key]))] == ["1"]
    lake.delete("t", "key", [key])
    assert [row["key"] for row in lake.rows("t", ["key"])] == ["other"]


def test_of_many_keys_each_row_is_read_and_deleted_once_and_no_other(lake: Lake) -> None:
    keys = [short_digest(str(number)) for number in range(3_000)]
    lake.upsert(TABLE, [_row(key, str(number)) for number, key in enumerate(keys[:1_500])])
    lake.upsert(TABLE, [_row(key, "late") for key in keys[1_500:]])
    asked = [*keys[100:2_900], "nobody's"]
    for at_once in (7, 1_024):
        found = {
            row["key"]: row["value"] for row in lake.rows_by_key("t", ["key", "value"], {"key": asked}, at_once=at_once)
        }
        assert list(found) == keys[100:2_900]
        assert found[keys[1_499]] == "1499" and found[keys[1_500]] == "late"
    lake.delete("t", "key", asked)
    assert {row["key"] for row in lake.rows("t", ["key"])} == {*keys[:100], *keys[2_900:]}


def test_a_delete_that_is_killed_leaves_all_rows_of_a_key_or_none(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_keys, "_IDS_PER_STATEMENT", 10)
    rows = [_row(str(number), f"document {number % 8}") for number in range(96)]
    lake.upsert(TABLE, rows)
    first = lake.table("t").version
    lake.delete("t", "value", [f"document {number}" for number in range(7)])
    versions = range(first, lake.table("t").version + 1)
    assert len(versions) == 8
    for version in versions:
        table = lake.table("t")
        table.checkout(version)
        left = Counter(row["value"] for row in table.search().select(["value"]).to_list())
        assert set(left.values()) == {12} and len(left) == 8 - (version - first)


def test_rows_of_a_tag_are_found_by_their_keys_whatever_was_written_since(lake: Lake) -> None:
    keys = [str(number) for number in range(100)]
    lake.upsert(TABLE, [_row(key, "old") for key in keys])
    lake.set_tag("t", "then")
    lake.upsert(TABLE, [_row(key, "new") for key in keys])
    assert {row["value"] for row in lake.rows_by_key("t", ["value"], {"key": keys}, "then")} == {"old"}
    assert {row["value"] for row in lake.rows_by_key("t", ["value"], {"key": keys})} == {"new"}


def test_a_write_of_new_and_known_rows_replaces_the_known_in_one_version(lake: Lake) -> None:
    lake.upsert(TABLE, [_row("a", "1"), _row("b", "2")])
    before = lake.table("t").version
    lake.upsert(TABLE, [_row("b", "3"), _row("c", "4")])
    assert sorted((row["key"], row["value"]) for row in lake.rows("t", ["key", "value"])) == [
        ("a", "1"),
        ("b", "3"),
        ("c", "4"),
    ]
    assert lake.table("t").version == before + 1


def test_a_table_that_is_not_there_reads_as_empty(lake: Lake) -> None:
    assert lake.count("nothing") == 0
    assert list(lake.rows("nothing", ["key"])) == []
    assert list(lake.rows_by_key("nothing", ["key"], {"key": [str(number) for number in range(100)]})) == []
    lake.delete("nothing", "key", ["a"])


def test_every_row_meets_exactly_one_range_and_no_range_has_many(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "_RANGE_ROWS", 50)
    keys = [short_digest(str(number)) for number in range(395)]
    strays = ["", "0", "80000000", "zebra", "Ação"]  # an edge of a range among them, and what is no digest
    lake.upsert(TABLE, [_row(key, "1") for key in keys + strays])
    parts = [[row["key"] for row in lake.rows("t", ["key"], part)] for part in lake.ranges("key", "t")]
    assert sorted(key for part in parts for key in part) == sorted(keys + strays)
    assert len(parts) == 8 and max(map(len, parts)) < 100


def test_a_small_table_is_one_range(lake: Lake) -> None:
    assert lake.ranges("key", "nothing") == [""]


def test_a_broken_table_says_which_and_what_to_do(lake: Lake) -> None:
    lake.upsert(TABLE, [_row("a", "1")])
    assert lake.folder is not None
    for manifest in (lake.folder / "t.lance" / "_versions").iterdir():
        manifest.write_bytes(b"")
    with pytest.raises(LakeError, match=r"'t'.*aion doctor"):
        Lake(lake.uri).count("t")
