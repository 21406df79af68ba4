from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings
from aion_assets.core.sources import progress
from aion_assets.core.sources.progress import bump_requested
from aion_assets.core.sources.state import CHANGES
from aion_assets.core.sources.store import add_source, remove_source

Either = tuple[Database, Settings]


def _asked(either: Either, source: str) -> None:
    with either[0].write() as connection:
        bump_requested(connection, [source])


def test_a_step_notes_how_far_its_input_had_come_when_it_began(either_database: Either, tmp_path: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(write_files(tmp_path / "f"))).source_id
    _asked(either_database, source)
    with progress.noted(database, source, progress.CURATED):
        pass
    assert progress.reached_now(database, progress.CURATED) == {}, "nothing was parsed yet"
    with progress.noted(database, source, progress.PARSED):
        _asked(either_database, source)
    with progress.noted(database, source, progress.CURATED), progress.noted(database, source, progress.PARSED):
        pass
    assert progress.reached_now(database, progress.PARSED) == {source: 2}
    assert progress.reached_now(database, progress.CURATED) == {source: 1}
    with pytest.raises(KeyboardInterrupt), progress.noted(database, source, progress.CURATED):
        raise KeyboardInterrupt
    assert progress.reached_now(database, progress.CURATED) == {source: 1}
    with database.write() as connection:
        progress.mark_reached(connection, progress.PARSED, {source: 1})
    assert progress.reached_now(database, progress.PARSED) == {source: 2}, "a run that ends late takes nothing back"


def test_no_step_works_on_a_source_that_was_removed(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender")))
    workbench.run(source)
    remove_source(workbench.database, source.source_id)
    for step in (workbench.collect, workbench.parse, workbench.curate, workbench.chunk, workbench.embed):
        with pytest.raises(SourceError, match=source.source_id):
            step(source)


def test_what_a_run_that_was_killed_curated_is_still_due_when_another_one_releases(
    workbench: Workbench, tmp_path: Path
) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("tea"), b_md=article("roses")), auto_approve=False)
    workbench.run(source)
    docs = workbench.docs(source)
    workbench.decide(APPROVED, docs["a.md"])
    workbench.to_chunks(source)
    workbench.decide(APPROVED, docs["b.md"])
    workbench.parse(source)
    workbench.curate(source)  # the other run, killed here
    workbench.embed(source)
    workbench.index()
    workbench.release()
    assert workbench.found("handbook") == ["a.md"]
    assert workbench.due(source) == CHANGES
    workbench.run(source)
    assert (sorted(workbench.found("handbook")), workbench.due(source)) == (["a.md", "b.md"], "")


def test_what_a_run_that_was_killed_collected_is_still_due_when_another_one_releases(
    workbench: Workbench, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "f", a_md=article("tea"))
    source = workbench.add(folder)
    workbench.collect(source)
    workbench.parse(source)
    write_files(folder, b_md=article("roses"))
    workbench.collect(source)  # the other run, killed here
    workbench.curate(source)
    workbench.chunk(source)
    workbench.embed(source)
    workbench.index()
    workbench.release()
    assert workbench.found("handbook") == ["a.md"]
    assert workbench.due(source) == CHANGES
