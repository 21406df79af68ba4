"""Tables of an older AION are given the columns that they lack; those of a newer one are refused."""

from pathlib import Path

import pyarrow as pa
import pytest

from aion_assets.core.errors import LakeError
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import LakeTable

OLD = [pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string())]


def _table(*more: pa.Field) -> LakeTable:
    return LakeTable("t", "key", pa.schema([*OLD, *more]))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    made.upsert(_table(), [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    return made


def test_a_write_with_a_new_column_keeps_the_rows_of_before(lake: Lake) -> None:
    grown = _table(pa.field("tags", pa.list_(pa.string())), pa.field("score", pa.float32()))
    lake.upsert(grown, [{"key": "b", "value": "3", "tags": ["x"], "score": 0.5}, {"key": "c", "value": "4"}])
    rows = {row["key"]: row for row in lake.rows("t", ["key", "value", "tags", "score"])}
    assert rows["a"] == {"key": "a", "value": "1", "tags": None, "score": None}
    assert rows["b"]["tags"] == ["x"] and rows["c"]["score"] is None


def test_a_version_that_a_tag_names_stays_as_it_was(lake: Lake) -> None:
    lake.set_tag("t", "then")
    lake.upsert(_table(pa.field("score", pa.float32())), [{"key": "c", "value": "4", "score": 1.0}])
    assert lake.table_at("t", "then").schema.names == ["key", "value"]
    assert [row["key"] for row in lake.rows("t", ["key"], tag="then")] == ["a", "b"]


def test_growing_twice_is_growing_once(lake: Lake) -> None:
    grown = _table(pa.field("score", pa.float32()))
    lake.grown(grown)
    version = lake.table("t").version
    lake.grown(grown)
    assert lake.table("t").version == version


def test_a_table_of_a_newer_aion_is_refused_with_the_column_that_tells_it(lake: Lake) -> None:
    lake.grown(_table(pa.field("telepathy", pa.string())))
    with pytest.raises(LakeError, match=r"telepathy.*newer one"):
        lake.upsert(_table(), [{"key": "c", "value": "4"}])
    assert lake.count("t") == 2


def test_a_column_that_no_row_may_be_without_cannot_be_added(lake: Lake) -> None:
    with pytest.raises(LakeError, match="lacks needed"):
        lake.grown(_table(pa.field("needed", pa.string(), nullable=False)))
