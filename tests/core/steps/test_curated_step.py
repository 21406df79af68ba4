from collections.abc import Iterable
from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED, AUTO_APPROVE, REJECTED
from aion_assets.core.curate.queue import read_queue
from aion_assets.core.records import Source
from aion_assets.core.sources.state import CHANGES
from aion_assets.core.sources.store import remove_source
from aion_assets.core.steps import curated
from aion_assets.core.steps.cleaning import clean_removed_sources

SAME = article("lavender")


def _upto_curated(bench: Workbench, *some: Source) -> None:
    for source in some:
        bench.collect(source)
        bench.parse(source)
        bench.curate(source)


def _primaries(bench: Workbench) -> list[str]:
    """source/file of every row that is indexed."""
    url_of = {row["doc_id"]: row["url"] for row in bench.rows("documents", "doc_id url")}
    rows = bench.rows("curated_documents", "doc_id duplicate_of")
    return sorted("/".join(url_of[row["doc_id"]].split("/")[-2:]) for row in rows if not row["duplicate_of"])


def test_nothing_is_indexed_before_it_is_approved(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=SAME, b_md=article("bicycles")), auto_approve=False)
    reports = workbench.to_chunks(source)
    assert reports["curated"].rows == reports["chunks"].rows == 0
    assert reports["curated"].drops["pending"] == 2

    docs = workbench.docs(source)
    workbench.decide(APPROVED, docs["a.md"])
    workbench.decide(REJECTED, docs["b.md"])
    report = workbench.curate(source)
    assert (report.rows, report.drops["rejected"], report.drops["pending"]) == (1, 1, 0)
    (row,) = workbench.rows("curated_documents", "doc_id decided_by")
    assert row == {"doc_id": docs["a.md"], "decided_by": "tester"}

    workbench.decide(REJECTED, docs["a.md"])
    assert workbench.curate(source).rows == 0
    assert workbench.chunk(source).rows == 0


def test_who_rejects_during_the_run_approves_nothing(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=SAME, b_md=article("bicycles")))
    _upto_curated(workbench, source)
    workbench.decide(APPROVED, *workbench.docs(source).values())
    real = curated.near_duplicates

    def decided_meanwhile(fingerprints: Iterable[tuple[str, int]]) -> dict[str, str]:
        workbench.decide(REJECTED, workbench.docs(source)["a.md"])
        return real(fingerprints)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curated, "near_duplicates", decided_meanwhile)
        report = workbench.curate(source)
    assert report.rows == 1
    assert [row["doc_id"] for row in workbench.rows("curated_documents", "doc_id")] == [workbench.docs(source)["b.md"]]


def test_a_source_with_auto_approve_needs_nobody(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=SAME))
    _upto_curated(workbench, source)
    (row,) = workbench.rows("curated_documents", "decided_by")
    assert row["decided_by"] == AUTO_APPROVE
    before = workbench.curate(source)
    assert before.counts["unchanged"] == 1 and before.counts["changed"] == 0


def test_the_earliest_of_equal_documents_is_the_primary_and_the_next_inherits(
    workbench: Workbench, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "f", z_md=SAME)
    source = workbench.add(folder)
    _upto_curated(workbench, source)
    write_files(folder, a_md=SAME, b_md=SAME)
    _upto_curated(workbench, source)
    assert _primaries(workbench) == ["f/z.md"]
    assert workbench.chunk(source).rows == 1
    _, rows = read_queue(workbench.database, "default", APPROVED)
    assert sum(bool(row["duplicate_of"]) for row in rows) == 2

    (folder / "z.md").unlink()
    _upto_curated(workbench, source)
    assert _primaries(workbench) in (["f/a.md"], ["f/b.md"])
    assert workbench.chunk(source).rows == 1


def test_a_rejected_primary_gives_its_place_to_the_next(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md=SAME)
    source = workbench.add(folder)
    _upto_curated(workbench, source)
    write_files(folder, b_md=SAME)
    _upto_curated(workbench, source)
    workbench.decide(REJECTED, workbench.docs(source)["a.md"])
    workbench.curate(source)
    assert _primaries(workbench) == ["f/b.md"]


def test_equal_documents_of_two_sources_have_one_primary_which_the_other_inherits(
    workbench: Workbench, tmp_path: Path
) -> None:
    first = workbench.add(write_files(tmp_path / "first", a_md=SAME))
    second = workbench.add(write_files(tmp_path / "second", a_md=SAME, own_md=article("bicycles")))
    workbench.run(first, second)
    assert _primaries(workbench) == ["first/a.md", "second/own.md"]
    assert (workbench.due(first), workbench.due(second)) == ("", "")

    (tmp_path / "first" / "a.md").write_text(article("roses"), "utf-8")
    _upto_curated(workbench, first)
    assert workbench.due(second) == CHANGES, "whose duplicate lost its primary must choose again"
    workbench.curate(second)
    assert _primaries(workbench) == ["first/a.md", "second/a.md", "second/own.md"]


@pytest.mark.parametrize("cleaned_first", [True, False])
def test_a_removed_source_leaves_its_content_to_the_others(
    workbench: Workbench, tmp_path: Path, cleaned_first: bool
) -> None:
    first = workbench.add(write_files(tmp_path / "first", a_md=SAME))
    second = workbench.add(write_files(tmp_path / "second", a_md=SAME))
    workbench.run(first, second)
    assert workbench.found("lavender handbook") == ["a.md"]
    remove_source(workbench.database, first.source_id)
    assert workbench.found("lavender handbook") == []
    if cleaned_first:
        assert clean_removed_sources(workbench.home) == [first.source_id]
        assert workbench.due(second) == CHANGES
    workbench.run(second)
    assert _primaries(workbench)[-1] == "second/a.md"
    assert workbench.found("lavender handbook") == ["a.md"]


def test_an_earlier_location_that_is_approved_late_takes_its_place_back(workbench: Workbench, tmp_path: Path) -> None:
    early = workbench.add(write_files(tmp_path / "early", a_md=SAME), auto_approve=False)
    late = workbench.add(write_files(tmp_path / "late", a_md=SAME))
    workbench.run(early, late)
    assert _primaries(workbench) == ["late/a.md"]
    workbench.decide(APPROVED, workbench.docs(early)["a.md"])
    workbench.curate(early)
    assert workbench.due(late) == CHANGES
    workbench.curate(late)
    assert _primaries(workbench) == ["early/a.md"]
    workbench.run(early, late)
    assert workbench.due(late) == workbench.due(early) == "", "they settle"


def test_near_duplicates_are_flagged_and_still_indexed(workbench: Workbench, tmp_path: Path) -> None:
    long = article("lavender", 60)
    source = workbench.add(write_files(tmp_path / "f", a_md=long, b_md=long + "\n\nOne sentence more."))
    reports = workbench.to_chunks(source)
    assert reports["curated"].counts["near_duplicates"] == 1
    assert reports["curated"].rows == 2
