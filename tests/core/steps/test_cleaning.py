from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED, REJECTED, decisions_of
from aion_assets.core.sources.state import CHANGES
from aion_assets.core.sources.store import remove_source, removed_sources
from aion_assets.core.steps.cleaning import clean_removed_sources
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.pages import collect_source

TABLES = ("pages", "documents", "curated_documents", "chunks")


def test_a_removed_source_leaves_search_at_once_and_the_tables_with_the_next_run(
    workbench: Workbench, tmp_path: Path
) -> None:
    gone = workbench.add(write_files(tmp_path / "gone", a_md=article("lavender")))
    kept = workbench.add(write_files(tmp_path / "kept", b_md=article("bicycles")))
    workbench.run(gone, kept)
    remove_source(workbench.database, gone.source_id)
    assert workbench.found("lavender handbook") == ["b.md"]
    assert clean_removed_sources(workbench.home) == [gone.source_id]
    for table in TABLES:
        assert {row["source_id"] for row in workbench.rows(table, "source_id")} == {kept.source_id}, table
    assert decisions_of(workbench.database, gone.source_id) == {}
    workbench.index()
    workbench.release()
    assert workbench.lake.count(workbench.knowledge_table) == 1
    assert clean_removed_sources(workbench.home) == []


def _clean_beside(bench: Workbench) -> list[str]:
    """What another run cleans while this thread is at work."""
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(clean_removed_sources, bench.home).result()


def test_a_source_that_is_being_collected_when_it_is_removed_is_cleaned_afterwards(
    workbench: Workbench, tmp_path: Path
) -> None:
    texts = {f"a{number}_md": article(f"lavender {number}") for number in range(60)}
    source = workbench.add(write_files(tmp_path / "f", **texts))
    cleaned: list[str] = []

    def show(done: int, total: int, what: str) -> None:
        if removed_sources(workbench.database, workbench.settings) == []:
            remove_source(workbench.database, source.source_id)
            cleaned.extend(_clean_beside(workbench))

    collect_source(SourceRun(workbench.home, source, "run", show))
    assert cleaned == [] and workbench.lake.count("pages") == len(texts)
    assert _clean_beside(workbench) == [source.source_id]
    assert workbench.lake.count("pages") == 0


@pytest.mark.parametrize("step", ["parse", "chunk", "embed"])
def test_a_source_that_a_step_works_on_is_cleaned_afterwards(workbench: Workbench, tmp_path: Path, step: str) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender")))
    workbench.to_chunks(source)
    remove_source(workbench.database, source.source_id)
    with workbench.lake.lock(f"{step}-{source.source_id}"):
        assert _clean_beside(workbench) == []
    assert _clean_beside(workbench) == [source.source_id]
    assert [workbench.lake.count(table) for table in TABLES] == [0, 0, 0, 0]


def test_the_heir_of_a_document_that_was_a_primary_once_becomes_due(workbench: Workbench, tmp_path: Path) -> None:
    text = article("lavender")
    first = workbench.add(write_files(tmp_path / "first", a_md=text, b_md=text), auto_approve=False)
    second = workbench.add(write_files(tmp_path / "second", a_md=text))
    workbench.run(first, second)
    seen = sorted(workbench.rows("documents", "first_seen doc_id", first), key=lambda row: tuple(row.values()))
    for row in reversed(seen):  # so that what the second source repeats is not the primary any more
        workbench.decide(APPROVED, row["doc_id"])
        workbench.run(first)
        workbench.run(*([second] if workbench.due(second) else []))
    assert workbench.due(second) == ""
    remove_source(workbench.database, first.source_id)
    assert clean_removed_sources(workbench.home) == [first.source_id]
    assert workbench.due(second) == CHANGES
    workbench.run(second)
    assert workbench.found("lavender handbook") == ["a.md"]


def test_a_source_added_again_starts_anew(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md=article("lavender"))
    first = workbench.add(folder)
    workbench.run(first)
    workbench.decide(REJECTED, workbench.docs(first)["a.md"])
    remove_source(workbench.database, first.source_id)
    second = workbench.add(folder)
    clean_removed_sources(workbench.home)
    workbench.run(second)
    assert second.source_id != first.source_id
    assert workbench.found("lavender handbook") == ["a.md"], "an old rejection belongs to the old source"
