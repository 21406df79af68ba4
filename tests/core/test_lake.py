from pathlib import Path

import pyarrow as pa
import pytest

from aion_assets.core import lake as lake_module
from aion_assets.core.errors import LakeError
from aion_assets.core.ids import short_digest
from aion_assets.core.lake import Lake, is_in

SCHEMA = pa.schema(
    [pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string()), pa.field("body", pa.large_binary())]
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def _row(key: str, value: str) -> dict[str, object]:
    return {"key": key, "value": value, "body": b"x"}


def test_writing_rows_twice_is_writing_them_once(lake: Lake) -> None:
    for _ in range(2):
        lake.upsert("t", SCHEMA, "key", [_row("a", "1"), _row("b", "2")])
    assert lake.count("t") == 2


def test_an_update_of_some_columns_leaves_the_others(lake: Lake) -> None:
    lake.upsert("t", SCHEMA, "key", [_row("a", "1")])
    partial = pa.schema([SCHEMA.field("key"), SCHEMA.field("value")])
    lake.update("t", "key", pa.Table.from_pylist([{"key": "a", "value": "9"}, {"key": "new", "value": "0"}], partial))
    assert list(lake.rows("t", ["key", "value", "body"])) == [{"key": "a", "value": "9", "body": b"x"}]


@pytest.mark.parametrize("key", ["it's", "'; DROP TABLE t; --", 'quoted "x"', "ção\n", "%_\\"])
def test_keys_with_quotes_find_their_own_row_only(lake: Lake, key: str) -> None:
    lake.upsert("t", SCHEMA, "key", [_row(key, "1"), _row("other", "2")])
    assert [row["value"] for row in lake.rows("t", ["value"], is_in("key", [key]))] == ["1"]
    lake.delete("t", "key", [key])
    assert [row["key"] for row in lake.rows("t", ["key"])] == ["other"]


def test_a_table_that_is_not_there_reads_as_empty(lake: Lake) -> None:
    assert lake.count("nothing") == 0
    assert list(lake.rows("nothing", ["key"])) == []


def test_every_row_meets_exactly_one_range_and_no_range_has_many(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "_RANGE_ROWS", 50)
    keys = [short_digest(str(number)) for number in range(395)]
    strays = ["", "0", "80000000", "zebra", "Ação"]  # an edge of a range among them, and what is no digest
    lake.upsert("t", SCHEMA, "key", [_row(key, "1") for key in keys + strays])
    parts = [[row["key"] for row in lake.rows("t", ["key"], part)] for part in lake.ranges("key", "t")]
    assert sorted(key for part in parts for key in part) == sorted(keys + strays)
    assert len(parts) == 8 and max(map(len, parts)) < 100


def test_a_small_table_is_one_range(lake: Lake) -> None:
    assert lake.ranges("key", "nothing") == [""]


def test_a_broken_table_says_which_and_what_to_do(lake: Lake) -> None:
    lake.upsert("t", SCHEMA, "key", [_row("a", "1")])
    assert lake.folder is not None
    for manifest in (lake.folder / "t.lance" / "_versions").iterdir():
        manifest.write_bytes(b"")
    with pytest.raises(LakeError, match=r"'t'.*aion doctor"):
        Lake(lake.uri).count("t")
