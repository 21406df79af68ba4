from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED, REJECTED
from aion_assets.core.errors import GateBlockedError, NoReleaseError
from aion_assets.core.lake.tables import embeddings_table
from aion_assets.core.records import Source
from aion_assets.core.release import releases, retire
from aion_assets.core.sources.state import CHANGES
from aion_assets.core.sources.store import remove_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "f", a_md=article("lavender"), b_md=article("bicycles"))


@pytest.fixture
def source(workbench: Workbench, folder: Path) -> Source:
    made = workbench.add(folder)
    workbench.run(made)
    return made


def _edit(bench: Workbench, folder: Path, source: Source, number: int) -> None:
    write_files(folder, c_md=article(f"roses {number}"))
    bench.to_chunks(source)
    bench.embed(source)
    bench.index()


def test_nothing_serves_before_the_first_release(workbench: Workbench) -> None:
    with pytest.raises(NoReleaseError, match="aion run"):
        releases.current_release(workbench.database, workbench.tenant_id)


def test_a_release_is_made_only_of_what_differs(workbench: Workbench, folder: Path, source: Source) -> None:
    first = releases.current_release_id(workbench.database, workbench.tenant_id)
    workbench.run_id = "run-2"
    workbench.run(source)
    assert releases.current_release_id(workbench.database, workbench.tenant_id) == first
    _edit(workbench, folder, source, 1)
    report = workbench.release()
    assert report.published and report.release_id != first
    assert report.release.index["rows"] == workbench.lake.count("chunks")
    assert workbench.found("roses handbook")[0] == "c.md"


def test_a_compaction_alone_makes_no_release(workbench: Workbench, source: Source) -> None:
    with workbench.lake.changing(workbench.knowledge_table) as table:
        table.delete("false")
    assert not workbench.release().published


def test_a_failed_gate_keeps_the_release_before(workbench: Workbench, folder: Path, source: Source) -> None:
    before = releases.current_release_id(workbench.database, workbench.tenant_id)
    _edit(workbench, folder, source, 1)
    workbench.lake.delete_where(workbench.knowledge_table, "url LIKE '%a.md'")
    with pytest.raises(GateBlockedError, match=r"index_holds_every_chunk.*lacks 1 of 3"):
        workbench.release()
    assert releases.current_release_id(workbench.database, workbench.tenant_id) == before
    assert set(workbench.found("handbook of lavender")) == {"a.md", "b.md"}, "the old version still has its row"
    assert workbench.due(source) == CHANGES, "the next run tries again"
    workbench.index()
    assert workbench.release().published
    assert workbench.due(source) == ""


def test_a_rejection_holds_in_every_release(workbench: Workbench, source: Source) -> None:
    doc = workbench.docs(source)["a.md"]
    workbench.decide(REJECTED, doc)
    assert workbench.found("lavender handbook") == ["b.md"]
    workbench.decide(APPROVED, doc)
    assert workbench.found("lavender handbook")[0] == "a.md"


def test_five_releases_are_kept_and_older_rows_leave_the_disk(
    workbench: Workbench, folder: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retire, "READERS_SWAP", timedelta(0))
    table = workbench.lake.table(workbench.knowledge_table)
    retired = 0
    for number in range(retire.KEPT_RELEASES + 2):
        _edit(workbench, folder, source, number)
        retired += workbench.release().retired
    assert retired == 3
    table.checkout_latest()
    tags = table.tags.list()
    assert len(tags) == retire.KEPT_RELEASES
    kept = {version["version"] for version in table.list_versions()}
    tagged = {tag["version"] for tag in tags.values()}
    # Besides the releases: the newest version, and the one that the last compaction took the place of.
    assert tagged < kept and len(kept) <= len(tagged) + 2
    for tag in tags:
        assert workbench.lake.table_at(workbench.knowledge_table, tag).count_rows() == 3


def test_a_tag_that_a_kill_left_behind_goes_with_the_next_release(
    workbench: Workbench, folder: Path, source: Source
) -> None:
    with workbench.lake.changing(workbench.knowledge_table) as table:
        table.tags.create("release-0000000000000000", table.version)
    _edit(workbench, folder, source, 1)
    workbench.release()
    assert "release-0000000000000000" not in workbench.lake.table(workbench.knowledge_table).tags.list()


def test_an_empty_knowledge_base_is_released_too(workbench: Workbench, folder: Path, source: Source) -> None:
    remove_source(workbench.database, source.source_id)
    workbench.index()
    assert workbench.release().release.index["rows"] == 0
    assert workbench.found("lavender") == []


def test_another_embedder_serves_only_when_every_document_has_its_vectors(workbench: Workbench, source: Source) -> None:
    first = releases.current_release_id(workbench.database, workbench.tenant_id)
    other, dimension = "other@1", workbench.model.dimension
    vectors = workbench.rows(workbench.embeddings_table, "text_hash vector")
    rows = [{**row, "embedding_key": f"{row['text_hash']}/{other}", "embedder_id": other} for row in vectors]

    def released(some: list[dict[str, Any]]) -> bool:
        workbench.lake.upsert(embeddings_table(other, dimension), some)
        workbench.model = replace(workbench.model, embedder_id=other)
        workbench.index()
        return workbench.release().published

    assert not released(rows[:1])
    assert releases.current_release_id(workbench.database, workbench.tenant_id) == first
    assert released(rows)
    assert releases.current_release(workbench.database, workbench.tenant_id).models.passage_embedder["id"] == other
