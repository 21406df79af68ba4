"""Steps compare their tables range by range; how many ranges there are must not show."""

from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.lake import store as lake_module
from aion_assets.core.records import Source
from aion_assets.core.settings import load_settings

_SUBJECTS = ("lavender", "bicycles", "volcanoes", "cheese", "harbours", "clocks", "violins", "glaciers")


def _state(bench: Workbench, *some: Source) -> list[tuple[object, ...]]:
    url_of = {row["doc_id"]: row["url"].rpartition("/")[2] for row in bench.rows("documents", "doc_id url")}
    primary = {row["doc_id"]: row["duplicate_of"] for row in bench.rows("curated_documents", "doc_id duplicate_of")}
    chunks = [row["doc_id"] for row in bench.rows("chunks", "doc_id")]
    return sorted(
        (source.name, url_of[key], key in primary, url_of.get(primary.get(key, ""), ""), chunks.count(key))
        for source in some
        for key in bench.docs(source).values()
    )


def _story(bench: Workbench, folder: Path) -> list[object]:
    """Two sources that share documents; some change, some vanish, one is rejected."""
    first = write_files(folder / "first", **{f"{subject}_md": article(subject) for subject in _SUBJECTS})
    second = write_files(folder / "second", lavender_md=article("lavender"), own_md=article("lighthouses"))
    one, other = bench.add(first), bench.add(second)
    told: list[object] = []
    for source in (one, other):
        told += [dict(report.counts) for report in bench.to_chunks(source).values()]
    told.append(_state(bench, one, other))
    (first / "lavender.md").unlink()
    write_files(first, cheese_md=article("cheese") + "\n\nA new last line.", owls_md=article("owls"))
    bench.decide("rejected", bench.docs(one)["clocks.md"])
    for source in (one, other, one):
        told += [dict(report.counts) for report in bench.to_chunks(source).values()]
    told.append(_state(bench, one, other))
    return told


def test_many_small_ranges_tell_and_store_what_one_does(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _story(workbench, tmp_path / "a")
    monkeypatch.setattr(lake_module, "_RANGE_ROWS", 2)
    monkeypatch.setenv("AION_HOME", str(tmp_path / "ranged"))
    ranged = Workbench(load_settings())
    try:
        assert _story(ranged, tmp_path / "b") == whole
        assert len(ranged.lake.ranges("doc_id", "documents")) == 5
    finally:
        ranged.database.engine.dispose()
    assert ("second", "lavender.md", True, "", 1) in whole[-1], "the vanished primary had an heir"
