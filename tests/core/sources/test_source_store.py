import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from aion_assets.core.curate.decisions import APPROVED, Verdict, decide, decisions_of, register_documents
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, now
from aion_assets.core.errors import CurationError, SourceError
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings
from aion_assets.core.sources.due import due_runs, folder_signatures
from aion_assets.core.sources.progress import mark_handled
from aion_assets.core.sources.state import CHANGES
from aion_assets.core.sources.store import (
    add_source,
    any_source_ever,
    begin_collection,
    finish_collection,
    get_source,
    list_sources,
    mark_cleaned,
    mark_pipeline,
    pause_source,
    remove_source,
    removed_sources,
    request_collection,
)
from aion_assets.core.sources.tombstones import read_hidden

Either = tuple[Database, Settings]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Manuais & Guias (2ª edição)"
    made.mkdir()
    return made


def _due(either: Either, source: Source) -> str:
    return get_source(*either, source.source_id).due


def test_ids_are_readable_and_never_used_again(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    first = add_source(database, settings, str(folder))
    assert first.source_id == "manuais-guias-2a-edicao"
    remove_source(database, first.source_id)
    second = add_source(database, settings, str(folder))
    assert second.source_id == "manuais-guias-2a-edicao-2"
    assert add_source(database, settings, "https://example.org/", name="日本").source_id == "source"


def test_an_address_is_a_source_once(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    add_source(database, settings, str(folder))
    with pytest.raises(SourceError, match="is a source already"):
        add_source(database, settings, f"{folder}/../{folder.name}/")
    add_source(database, settings, "https://example.org/docs/#top")
    with pytest.raises(SourceError, match="is a source already"):
        add_source(database, settings, "https://EXAMPLE.org/docs/")


def test_an_address_of_no_kind_is_refused(either_database: Either) -> None:
    with pytest.raises(SourceError, match="neither a web address"):
        add_source(*either_database, "gopher://example.org")


def test_an_unknown_source_is_answered_with_those_there_are(either_database: Either, folder: Path) -> None:
    add_source(*either_database, str(folder), name="guias")
    with pytest.raises(SourceError, match=r"no source 'giuas'.*guias"):
        get_source(*either_database, "giuas")


def test_a_source_is_due_until_a_release_holds_what_was_collected(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder), schedule_s=0)
    assert _due(either_database, source) == "never collected"
    collection = begin_collection(database, source.source_id)
    assert _due(either_database, source) == "unfinished"
    assert begin_collection(database, source.source_id) == collection, "a killed collection goes on"
    finish_collection(database, source.source_id)
    assert begin_collection(database, source.source_id) != collection
    finish_collection(database, source.source_id)
    assert _due(either_database, source) == CHANGES
    mark_handled(database, {source.source_id: 1})
    assert _due(either_database, source) == CHANGES, "the second collection is not held yet"
    mark_handled(database, {source.source_id: 2})
    assert _due(either_database, source) == ""
    mark_handled(database, {source.source_id: 1})
    assert _due(either_database, source) == "", "a run that ends late takes nothing back"


def test_schedule_request_and_pause_decide_when_a_source_is_due(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder), schedule_s=3600)
    begin_collection(database, source.source_id)
    finish_collection(database, source.source_id)
    mark_handled(database, {source.source_id: 1})
    assert _due(either_database, source) == ""
    with database.write() as connection:
        connection.execute(update(tables.sources).values(collected_at=now() - timedelta(seconds=3601)))
    assert _due(either_database, source) == "scheduled"
    pause_source(database, source.source_id, paused=True)
    assert _due(either_database, source) == ""
    pause_source(database, source.source_id, paused=False)
    request_collection(database, source.source_id)
    assert _due(either_database, source) == "requested"


def test_what_is_asked_for_during_a_collection_is_collected_after_it(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder), schedule_s=0)
    begin_collection(database, source.source_id)
    request_collection(database, source.source_id)
    assert begin_collection(database, source.source_id), "a killed one goes on before another one starts"
    finish_collection(database, source.source_id)
    assert _due(either_database, source) == "requested"
    begin_collection(database, source.source_id)
    finish_collection(database, source.source_id)
    assert _due(either_database, source) == CHANGES


def test_what_is_due_names_the_job_and_asks_once(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder), schedule_s=0)
    (first,) = due_runs(database, settings, "v1")
    assert (first.job, first.source_id) == ("ingest", source.source_id)
    assert due_runs(database, settings, "v1") == [first]
    begin_collection(database, source.source_id)
    finish_collection(database, source.source_id)
    (second,) = due_runs(database, settings, "v1")
    assert second.job == "recurate" and second.key != first.key
    mark_handled(database, {source.source_id: 1})
    mark_pipeline(database, source.source_id, "v1")
    assert due_runs(database, settings, "v1") == []
    assert [run.why for run in due_runs(database, settings, "v2")] == ["pipeline changed"]


def test_a_paused_source_is_not_collected_but_follows_decisions_and_the_pipeline(
    either_database: Either, folder: Path
) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder), schedule_s=3600).source_id
    begin_collection(database, source)
    finish_collection(database, source)
    pause_source(database, source, paused=True)
    assert [(run.job, run.why) for run in due_runs(database, settings, "v1")] == [("recurate", CHANGES)]
    mark_handled(database, {source: 1})
    mark_pipeline(database, source, "v1")
    assert due_runs(database, settings, "v1") == []
    assert [(run.job, run.why) for run in due_runs(database, settings, "v2")] == [("recurate", "pipeline changed")]


def test_a_folder_in_which_something_changed_is_due_for_those_who_look(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    (folder / "inner").mkdir()
    source = add_source(database, settings, str(folder), schedule_s=0).source_id

    def why() -> list[str]:
        return [run.why for run in due_runs(database, settings, "v1", look_into_folders=True)]

    def collect() -> None:
        time.sleep(0.03)  # more than a tick of the clock that stamps files
        request_collection(database, source)
        begin_collection(database, source)
        finish_collection(database, source)
        mark_handled(database, {source: get_source(database, settings, source).asked})
        mark_pipeline(database, source, "v1")

    collect()
    assert why() == []
    (folder / "inner" / "new.md").write_text("new")
    assert why() == ["files changed"] and due_runs(database, settings, "v1") == []
    collect()
    assert why() == []
    (folder / "inner" / "new.md").unlink()
    assert why() == ["files changed"]


def test_what_a_collection_passes_over_and_a_date_to_come_make_no_folder_due(
    either_database: Either, tmp_path: Path
) -> None:
    database, settings = either_database
    ahead, index = tmp_path / "ahead.md", tmp_path / ".git" / "index"
    assert settings.home.is_relative_to(tmp_path)
    (tmp_path / ".git").mkdir()
    ahead.write_text("from a camera whose clock is wrong")
    os.utime(ahead, (time.time() + 86_400,) * 2)
    source = add_source(database, settings, str(tmp_path), schedule_s=0).source_id

    time.sleep(0.03)  # more than a tick of the clock that stamps files
    begin_collection(database, source)
    finish_collection(database, source)
    mark_handled(database, {source: get_source(database, settings, source).asked})
    mark_pipeline(database, source, "v1")
    before = folder_signatures(database, settings)
    for path in (index, settings.home / "new.md"):
        path.write_text("new")
    assert folder_signatures(database, settings) == before
    assert due_runs(database, settings, "v1", look_into_folders=True) == []


def test_a_file_that_cannot_be_looked_at_stops_no_source(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder), schedule_s=0).source_id
    before = folder_signatures(database, settings)
    (folder / "loop.md").symlink_to("loop.md")
    assert folder_signatures(database, settings) == before

    time.sleep(0.03)  # more than a tick of the clock that stamps files
    begin_collection(database, source)
    finish_collection(database, source)
    mark_handled(database, {source: get_source(database, settings, source).asked})
    mark_pipeline(database, source, "v1")
    assert due_runs(database, settings, "v1", look_into_folders=True) == []
    (folder / "new.md").write_text("new")
    assert [run.why for run in due_runs(database, settings, "v1", look_into_folders=True)] == ["files changed"]
    assert folder_signatures(database, settings) != before


def test_a_removed_source_is_hidden_at_once_and_waits_to_be_cleaned(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(folder))
    for _ in range(2):  # two people may press the button
        remove_source(database, source.source_id)
    assert read_hidden(database, settings.tenant_id).source_ids == {source.source_id}
    assert list_sources(database, settings) == []
    assert any_source_ever(database, settings)
    assert removed_sources(database, settings) == [source.source_id]
    mark_cleaned(database, source.source_id)
    assert removed_sources(database, settings) == []
    # A run that was under way writes rows again.
    mark_pipeline(database, source.source_id, "v1")
    assert removed_sources(database, settings) == [source.source_id]
    mark_cleaned(database, source.source_id)
    mark_handled(database, {source.source_id: 5})
    assert removed_sources(database, settings) == []


def test_of_two_who_add_or_remove_a_source_at_once_one_is_first(either_database: Either, tmp_path: Path) -> None:
    database, settings = either_database
    with ThreadPoolExecutor(max_workers=2) as people:
        for number in range(10):
            folder = tmp_path / str(number)
            folder.mkdir()
            added = [people.submit(add_source, database, settings, str(folder)) for _ in range(2)]
            assert sum(isinstance(one.exception(), SourceError) for one in added) == 1
            (state,) = list_sources(database, settings)
            for one in [people.submit(remove_source, database, state.source.source_id) for _ in range(2)]:
                one.result()
            assert list_sources(database, settings) == []


def test_a_source_may_be_removed_while_its_documents_are_decided(either_database: Either, folder: Path) -> None:
    database, settings = either_database
    document = {"title": "", "quality": 0.9, "url": "", "lang": "", "content_hash": ""}
    keys = [f"d{number:02}" for number in range(40)]
    with ThreadPoolExecutor(max_workers=2) as people:
        for _ in range(10):
            source = add_source(database, settings, str(folder))
            documents = dict.fromkeys(keys, document)
            register_documents(database, source, documents, lambda some: [(key, "") for key in some])
            decided = people.submit(decide, database, settings.tenant_id, keys, Verdict(APPROVED, "ana"))
            people.submit(remove_source, database, source.source_id).result()
            assert isinstance(decided.exception(), CurationError | None)
            assert decisions_of(database, source.source_id) == {}
