import multiprocessing
import threading
import time
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import pyarrow as pa
import pytest

from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import LakeTable

SCHEMA = pa.schema([pa.field("key", pa.string(), nullable=False)])
TABLE = LakeTable("t", "key", SCHEMA)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def _add(lake: Lake, *keys: str) -> None:
    lake.upsert(TABLE, [{"key": key} for key in keys])


def _folder(lake: Lake) -> Path:
    assert lake.folder is not None
    return lake.folder / "t.lance"


def _hold_turn(uri: str, entered: Event) -> None:
    with Lake(uri).lock("x"):
        entered.set()
        time.sleep(60)


def test_a_turn_is_waited_for_and_ends_with_its_process(lake: Lake) -> None:
    spawn = multiprocessing.get_context("spawn")
    entered = spawn.Event()
    other = spawn.Process(target=_hold_turn, args=(lake.uri, entered))
    other.start()
    assert entered.wait(60)
    mine = threading.Event()

    def take() -> None:
        with lake.lock("x"):
            mine.set()

    thread = threading.Thread(target=take)
    thread.start()
    with lake.lock("y"):
        assert not mine.wait(0.5), "a turn is for one at a time"
    other.kill()
    other.join()
    assert mine.wait(10), "a killed process gives its turn back"
    thread.join()
    other.close()


def test_a_thread_may_enter_its_own_turn_again_and_no_other_may(lake: Lake) -> None:
    entered = threading.Event()

    def take() -> None:
        with lake.lock("x"):
            entered.set()

    with lake.lock("x"):
        with lake.lock("x"):
            pass
        thread = threading.Thread(target=take)
        thread.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    thread.join()


def test_the_folder_of_a_table_that_was_never_made_is_no_table(lake: Lake) -> None:
    """What a kill leaves that comes before a new table's first manifest."""
    (_folder(lake) / "_versions").mkdir(parents=True)
    (_folder(lake) / "_transactions").mkdir()
    assert not lake.exists("t") and lake.count("t") == 0
    _add(lake, "a")
    assert lake.count("t") == 1


def test_a_tag_keeps_its_rows_and_moves_when_it_is_told_to(lake: Lake) -> None:
    assert not lake.has_tag("t", "x")
    lake.set_tag("t", "x")  # nothing to name yet
    _add(lake, "a")
    lake.set_tag("t", "x")
    _add(lake, "b")
    assert [row["key"] for row in lake.rows("t", ["key"], tag="x")] == ["a"]
    assert sorted(row["key"] for row in lake.rows_by_key("t", ["key"], {"key": ["a", "b"]})) == ["a", "b"]
    lake.set_tag("t", "x")
    assert lake.has_tag("t", "x") and lake.table_at("t", "x").count_rows() == 2


def test_a_tag_that_a_kill_cut_short_stops_nothing(lake: Lake) -> None:
    _add(lake, "a")
    lake.set_tag("t", "sound")
    broken = _folder(lake) / "_refs" / "tags" / "broken.json"
    broken.write_bytes(b"")
    assert not lake.has_tag("t", "broken")
    assert lake.table_at("t", "sound").count_rows() == 1
    lake.set_tag("t", "another")
    assert lake.has_tag("t", "another") and not broken.exists()


def test_a_compaction_keeps_what_a_tag_names_and_gives_back_the_rest(lake: Lake) -> None:
    _add(lake, "first")
    lake.set_tag("t", "x")
    for number in range(6):
        _add(lake, *(f"{number}-{row}" * 50 for row in range(200)))
        lake.delete_where("t", "key != 'first'")
    lake.set_tag("t", "y")
    _add(lake, "last")
    before = lake.size_bytes("t")
    lake.compact("t", timedelta(hours=1))
    assert len(lake.table("t").list_versions()) > 10, "a reader may still be at them"
    lake.compact("t", timedelta(0))
    assert len(lake.table("t").list_versions()) <= 4
    assert lake.size_bytes("t") < before / 4
    assert [row["key"] for row in lake.rows("t", ["key"], tag="x")] == ["first"]
    assert lake.table_at("t", "y").count_rows() == 1
    assert lake.count("t") == 2
    _add(lake, "more")
    assert lake.count("t") == 3
