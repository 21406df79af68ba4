from pathlib import Path

from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED, PENDING, REJECTED
from aion_assets.core.curate.queue import read_queue
from aion_assets.core.curate.repeats import add_repeats
from aion_assets.core.records import Source
from aion_assets.core.sources.store import remove_source

SAME = article("lavender")


def _repeats(bench: Workbench, source: Source, state: str = PENDING) -> list[str]:
    _, rows = read_queue(bench.database, bench.tenant_id, state, source.source_id)
    add_repeats(bench.lake, bench.database, rows)
    return [row["duplicate_of"] for row in rows]


def test_a_pending_document_names_the_one_of_the_same_content_in_another_source(
    workbench: Workbench, tmp_path: Path
) -> None:
    bench = workbench
    early = bench.add(write_files(tmp_path / "early", a_md=SAME), auto_approve=False)
    late = bench.add(write_files(tmp_path / "late", a_md=SAME), auto_approve=False)
    bench.to_chunks(early)
    bench.to_chunks(late)
    early_id, late_id = bench.docs(early)["a.md"], bench.docs(late)["a.md"]
    assert (_repeats(bench, early), _repeats(bench, late)) == ([""], [early_id]), "the one seen first stands for itself"

    bench.decide(APPROVED, late_id)
    assert _repeats(bench, early) == [late_id], "at once, before any run"
    bench.decide(REJECTED, late_id)
    assert _repeats(bench, early) == [late_id], "that it was turned down tells something, too"
    assert _repeats(bench, late, REJECTED) == [""]


def test_what_vanished_or_was_removed_is_repeated_by_nothing(workbench: Workbench, tmp_path: Path) -> None:
    bench = workbench
    folder = write_files(tmp_path / "first", a_md=SAME, b_md=article("thyme"))
    first = bench.add(folder)
    second = bench.add(write_files(tmp_path / "second", a_md=SAME), auto_approve=False)
    bench.to_chunks(first)
    bench.to_chunks(second)
    first_id = bench.docs(first)["a.md"]
    assert _repeats(bench, second) == [first_id]

    (folder / "a.md").unlink()
    bench.to_chunks(first)
    assert _repeats(bench, second) == [""]
    total, rows = read_queue(bench.database, bench.tenant_id, APPROVED, first.source_id)
    assert (total, [row["title"] for row in rows]) == (1, ["thyme"]), "nor is it listed among the approved"
    write_files(folder, a_md=SAME)
    bench.to_chunks(first)
    assert _repeats(bench, second) == [first_id]
    remove_source(bench.database, first.source_id)
    assert _repeats(bench, second) == [""]
