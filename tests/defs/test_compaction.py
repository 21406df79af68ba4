"""Disk that comes back, while what serves goes on serving."""

import threading
from datetime import timedelta

import dagster as dg
import pytest
from pipeline import Pipeline
from test_automation import Automation

from aion_assets.core.lake import compaction
from aion_assets.core.release import releases
from aion_assets.definitions import defs


@pytest.fixture
def no_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if everything had been written long ago."""
    monkeypatch.setattr(compaction, "_LONGEST_STEP", timedelta(0))
    monkeypatch.setattr(compaction, "READERS_SWAP", timedelta(0))


def test_old_versions_of_all_tables_leave_the_disk_while_searches_go_on(filled: Pipeline, no_readers: None) -> None:
    lake, kept = filled.lake, []
    for number in range(2):
        (filled.folder / "novo.md").write_text(f"# Novo\n\nA lavanda número {number} é outra lavanda.\n", "utf-8")
        filled.run()
        kept.append(releases.current_release(filled.database, filled.settings.tenant_id))
        for name in lake.names():
            with lake.changing(name) as table:
                column = "embedder_id" if name.startswith("embeddings") else "tenant_id"
                for _ in range(10):
                    table.update(values_sql={column: column})
    automation = Automation(filled.instance)
    automation.tick()
    before = {name: lake.size_bytes(name) for name in lake.names()}
    assert len(before) == 7

    stop, hits = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            hits.append(filled.found("quando podar a lavanda"))

    searching = threading.Thread(target=search)
    searching.start()
    result = defs.resolve_job_def("tables_compacted").execute_in_process(instance=filled.instance)
    stop.set()
    searching.join()

    after = {name: lake.size_bytes(name) for name in lake.names()}
    assert result.success and sum(after.values()) < sum(before.values()) / 2, (before, after)
    assert hits and all("plantas.md" in found for found in [*hits, filled.found("quando podar a lavanda")])
    for release in kept:
        assert lake.table_at(release.table, release.tag).count_rows() == release.index["rows"]
    observed = {
        record.asset_key: record.event_log_entry.asset_observation.metadata["size_bytes"].value  # type: ignore[union-attr]
        for key in (["index", "lance_index"], ["corpus", "crawled_pages"])
        for record in filled.instance.fetch_observations(dg.AssetKey(key), limit=1).records
    }
    assert observed[dg.AssetKey(["corpus", "crawled_pages"])] == after["pages"] + after["bodies"]
    assert len(observed) == 2

    assert automation.tick() == set(), "nothing is new"
    release = filled.release_id
    assert filled.run().success and filled.release_id == release
