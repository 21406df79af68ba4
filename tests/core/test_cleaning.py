from pathlib import Path

from workbench import Workbench, article, write_files

from aion_assets.core import curation, sources
from aion_assets.core.cleaning import clean_removed_sources

TABLES = ("pages", "documents", "curated_documents", "chunks")


def test_a_removed_source_leaves_search_at_once_and_the_tables_with_the_next_run(
    workbench: Workbench, tmp_path: Path
) -> None:
    gone = workbench.add(write_files(tmp_path / "gone", a_md=article("lavender")))
    kept = workbench.add(write_files(tmp_path / "kept", b_md=article("bicycles")))
    workbench.run(gone, kept)
    sources.remove_source(workbench.database, gone.source_id)
    assert workbench.found("lavender handbook") == ["b.md"]
    assert clean_removed_sources(workbench.lake, workbench.database, workbench.settings) == [gone.source_id]
    for table in TABLES:
        assert {row["source_id"] for row in workbench.rows(table, "source_id")} == {kept.source_id}, table
    assert curation.decisions(workbench.database, gone.source_id) == {}
    workbench.index()
    workbench.release()
    assert workbench.lake.count(workbench.knowledge_table) == 1
    assert clean_removed_sources(workbench.lake, workbench.database, workbench.settings) == []


def test_what_a_run_wrote_after_the_cleaning_is_cleaned_again(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender")))
    workbench.collect(source)
    sources.remove_source(workbench.database, source.source_id)
    clean_removed_sources(workbench.lake, workbench.database, workbench.settings)
    workbench.collect(source)
    workbench.parse(source)
    workbench.curate(source)
    workbench.chunk(source)
    workbench.embed(source)
    workbench.index()
    workbench.release()
    assert workbench.found("lavender handbook") == []
    assert clean_removed_sources(workbench.lake, workbench.database, workbench.settings) == [source.source_id]
    assert [workbench.lake.count(table) for table in TABLES] == [0, 0, 0, 0]


def test_a_source_added_again_starts_anew(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md=article("lavender"))
    first = workbench.add(folder)
    workbench.run(first)
    workbench.decide(curation.REJECTED, workbench.docs(first)["a.md"])
    sources.remove_source(workbench.database, first.source_id)
    second = workbench.add(folder)
    clean_removed_sources(workbench.lake, workbench.database, workbench.settings)
    workbench.run(second)
    assert second.source_id != first.source_id
    assert workbench.found("lavender handbook") == ["a.md"], "an old rejection belongs to the old source"
