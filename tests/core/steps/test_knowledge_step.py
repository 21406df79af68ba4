from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.index import contents
from aion_assets.core.lake import store as lake_module
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import LakeTable
from aion_assets.core.records import Source
from aion_assets.core.sources.store import remove_source
from aion_assets.core.steps import claims, knowledge


@pytest.fixture(autouse=True)
def _many_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds of a few rows in many ranges holds of many rows."""
    monkeypatch.setattr(lake_module, "_RANGE_ROWS", 2)
    monkeypatch.setattr(knowledge, "WRITE_ROWS", 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "f", a_md=article("lavender", 12), b_md=article("bicycles", 12))


@pytest.fixture
def source(workbench: Workbench, folder: Path) -> Source:
    made = workbench.add(folder)
    workbench.to_chunks(made)
    workbench.embed(made)
    return made


def _parity(bench: Workbench) -> claims.Finding:
    return claims.index_holds_every_chunk(bench.lake, bench.model.embedder_id, frozenset())


def _unindexed(bench: Workbench) -> int:
    return sum(index.num_unindexed_rows for index in bench.lake.table(bench.knowledge_table).list_indices())


def test_the_index_has_a_row_for_every_chunk(workbench: Workbench, source: Source) -> None:
    report = workbench.index()
    chunks = {
        row["chunk_id"]: knowledge.indexed_hash(row["row_hash"])
        for row in workbench.rows("chunks", "chunk_id row_hash")
    }
    assert {
        row["chunk_id"]: row["row_hash"] for row in workbench.rows(workbench.knowledge_table, "chunk_id row_hash")
    } == chunks
    assert report.rows == report.counts["new"] == len(chunks)
    assert _parity(workbench).holds and _unindexed(workbench) == 0
    assert claims.index_recall_is_high(workbench.lake, workbench.model.embedder_id).holds


def test_an_unchanged_index_is_not_written(workbench: Workbench, source: Source) -> None:
    first = workbench.index()
    again = workbench.index()
    assert (again.data_version, again.notes) == (first.data_version, first.notes)


def test_another_analysis_of_texts_writes_every_row_anew(
    workbench: Workbench, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = workbench.index()
    monkeypatch.setattr(contents, "analysis_version", lambda: "another")
    monkeypatch.setattr(knowledge, "index_columns", lambda row: {"text_en": "xyzzy"})
    assert not _parity(workbench).holds
    again = workbench.index()
    assert again.counts["changed"] == again.rows == first.rows and again.data_version != first.data_version
    assert {row["text_en"] for row in workbench.rows(workbench.knowledge_table, "text_en")} == {"xyzzy"}
    assert _parity(workbench).holds and _unindexed(workbench) == 0


def test_rows_of_documents_that_changed_or_left_follow(workbench: Workbench, folder: Path, source: Source) -> None:
    workbench.index()
    (folder / "b.md").unlink()
    write_files(folder, a_md=article("lavender", 13))
    workbench.to_chunks(source)
    workbench.embed(source)
    report = workbench.index()
    assert report.counts["orphaned"] > 0 and report.counts["unchanged"] == 0, "a citation names the document's version"
    assert {row["url"].rpartition("/")[2] for row in workbench.rows(workbench.knowledge_table, "url")} == {"a.md"}
    assert _parity(workbench).holds and _unindexed(workbench) == 0


def test_a_removed_source_leaves_the_index(workbench: Workbench, source: Source, tmp_path: Path) -> None:
    other = workbench.add(write_files(tmp_path / "o", o_md=article("roses")))
    workbench.run(other)
    remove_source(workbench.database, other.source_id)
    removed = frozenset({other.source_id})
    assert claims.index_holds_every_chunk(workbench.lake, workbench.model.embedder_id, removed).holds
    workbench.index()
    assert {row["source_id"] for row in workbench.rows(workbench.knowledge_table, "source_id")} == {source.source_id}
    assert not _parity(workbench).holds, "nobody hides it, so it is missing"


def test_a_killed_build_is_finished_by_the_next(
    workbench: Workbench, folder: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.index()
    write_files(folder, c_md=article("roses", 12))
    workbench.to_chunks(source)
    workbench.embed(source)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(knowledge, "build_indexes", killed)
        workbench.index()
    assert _unindexed(workbench) > 0
    workbench.index()
    assert _unindexed(workbench) == 0 and _parity(workbench).holds


def test_a_document_that_is_being_embedded_keeps_its_old_rows_meanwhile(
    workbench: Workbench, folder: Path, source: Source
) -> None:
    """Another run has cut an edited document and not embedded it yet, while this one indexes its own source."""
    workbench.index()
    before = {row["chunk_id"] for row in workbench.rows(workbench.knowledge_table, "chunk_id")}
    write_files(folder, a_md=article("roses", 12))
    workbench.to_chunks(source)
    other = workbench.add(write_files(folder.parent / "other", o_md=article("tea")))
    workbench.to_chunks(other)
    workbench.embed(other)
    report = workbench.index()
    assert report.drops["waiting_documents"] == 1
    now_there = {row["chunk_id"]: row["url"] for row in workbench.rows(workbench.knowledge_table, "chunk_id url")}
    assert before <= set(now_there) and any(url.endswith("o.md") for url in now_there.values())
    assert _parity(workbench).holds
    assert workbench.release().published

    workbench.embed(source)
    assert _parity(workbench).holds, "vectors that came after the build change nothing"
    workbench.index()
    assert workbench.index().drops["waiting_documents"] == 0
    assert workbench.lake.count(workbench.knowledge_table) == workbench.lake.count("chunks")


def test_chunks_that_change_after_the_build_do_not_block_its_release(
    workbench: Workbench, folder: Path, source: Source
) -> None:
    workbench.index()
    (folder / "b.md").unlink()
    write_files(folder, c_md=article("roses"))
    workbench.to_chunks(source)
    assert _parity(workbench).holds
    assert workbench.release().published


@pytest.mark.parametrize("first_step", ["collected", "cut"])
def test_the_first_source_that_comes_after_an_empty_build_does_not_block_its_release(
    workbench: Workbench, folder: Path, first_step: str
) -> None:
    source = workbench.add(folder)
    if first_step == "cut":
        workbench.to_chunks(source)
    workbench.index()
    if first_step == "collected":
        workbench.to_chunks(source)
    workbench.embed(source)
    assert _parity(workbench).holds
    assert workbench.release().release.index["rows"] == 0


@pytest.mark.parametrize("damage", ["a row less", "a row more", "an old row"])
def test_an_index_that_differs_from_its_chunks_is_found_out(workbench: Workbench, source: Source, damage: str) -> None:
    workbench.index()
    lake: Lake = workbench.lake
    table = workbench.knowledge_table
    row = next(iter(lake.rows(table, lake.table(table).schema.names)))
    if damage == "a row less":
        lake.delete(table, "chunk_id", [row["chunk_id"]])
    else:
        change = {"chunk_id": "x"} if damage == "a row more" else {"row_hash": "x"}
        lake.upsert(LakeTable(table, "chunk_id", lake.table(table).schema), [row | change])
    assert not _parity(workbench).holds
    workbench.index()
    assert _parity(workbench).holds
