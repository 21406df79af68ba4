"""Several processes at once on one lake and one database."""

from pathlib import Path

import pytest
from victim import Victim
from workbench import article, write_files

from aion_assets.core.records import Source
from aion_assets.core.steps import claims

_SHARED = {f"same{number}_md": article(f"shared subject {number}", 4) for number in range(4)}


def _folder_source(victim: Victim, folder: Path, name: str, count: int) -> Source:
    own = {f"{name}{number}_md": article(f"{name} {number}", 6) for number in range(count)}
    return victim.bench.add(write_files(folder / name, **own, **_SHARED))


def _assert_sound(victim: Victim) -> None:
    bench = victim.bench
    victim.versions()
    for finding in (
        claims.every_stored_page_has_an_outcome(bench.lake),
        claims.chunk_ids_are_unique(bench.lake),
        claims.every_chunk_is_embedded(bench.lake, bench.model.embedder_id),
        claims.index_holds_every_chunk(bench.lake, bench.model.embedder_id, frozenset()),
    ):
        assert finding.holds, finding.says


@pytest.mark.timeout(300)
def test_two_processes_bring_in_different_sources_at_once(victim: Victim, tmp_path: Path) -> None:
    some = [_folder_source(victim, tmp_path, "alpha", 12), _folder_source(victim, tmp_path, "beta", 12)]
    processes = [victim.start({"only": source.source_id}) for source in some]
    assert [process.wait(240) for process in processes] == [0, 0]
    # One may have taken a document for a primary that the other turned out to have had earlier.
    assert victim.run() == 0
    _assert_sound(victim)
    bench = victim.bench
    primaries = [row for row in bench.rows("curated_documents", "content_hash duplicate_of") if not row["duplicate_of"]]
    assert len(primaries) == len({row["content_hash"] for row in primaries}) == 12 + 12 + 4 + len(victim.site.pages)
    assert bench.found("handbook of alpha 7")[0] == "alpha7.md"
    assert bench.found("handbook of beta 7")[0] == "beta7.md"
    assert [bench.due(source) for source in some] == ["", ""]


@pytest.mark.timeout(300)
def test_the_same_source_twice_at_once_is_brought_in_once(victim: Victim) -> None:
    processes = [victim.start() for _ in range(2)]
    assert [process.wait(240) for process in processes] == [0, 0]
    _assert_sound(victim)
    assert victim.bench.lake.count("pages") == len(victim.site.pages)
    assert {victim.site.bodies[path] for path in victim.site.pages} == {1}, (
        "the second process asked whether it changed"
    )
    assert victim.bench.due(victim.source) == ""
