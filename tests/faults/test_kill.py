"""kill -9 at named points and at random moments: nothing is lost or doubled, the old release serves, and the next run
ends the work.
"""

import os
import random
import time
from pathlib import Path
from typing import Any

import counts
import dagster as dg
import pytest
from loopback import CountingSite, page
from victim import Victim, fill, kill_at_random, undisturbed_versions

from aion_assets.core.sources.store import get_source, request_collection
from aion_assets.local.foreground import dagster_instance

_STEPS, _LAKE = "aion_assets.core.steps", "aion_assets.core.lake.store"
# In the order of the pipeline: each run goes on where the one before was killed, and dies a little later.
POINTS: list[tuple[str, dict[str, Any]]] = [
    ("the second batch of pages is stored", {"at": f"{_STEPS}.pages:_PageWriter.flush", "when": "after", "call": 2}),
    ("pages are written and not synced", {"at": "aion_assets.core.lake.files:sync_newer", "when": "before", "call": 2}),
    ("before the collection is closed", {"at": f"{_STEPS}.pages:finish_collection", "when": "before"}),
    ("in parsing", {"at": f"{_STEPS}.documents:_DocumentWriter.add", "when": "before", "call": 5}),
    ("a batch of documents is stored", {"at": f"{_STEPS}.documents:_DocumentWriter.flush", "when": "after", "call": 2}),
    ("the queue is filled", {"at": f"{_LAKE}:Lake.upsert", "when": "before", "of": "curated_documents"}),
    ("some documents are cut", {"at": f"{_LAKE}:Lake.upsert", "when": "after", "of": "chunks"}),
    ("new chunks stand beside the old", {"at": f"{_LAKE}:Lake.delete", "when": "before", "of": "chunks"}),
    ("vectors are made and not stored", {"at": f"{_LAKE}:Lake.upsert", "when": "before", "of": "embeddings"}),
    ("the first window is embedded", {"at": f"{_LAKE}:Lake.upsert", "when": "after", "of": "embeddings"}),
    ("all is embedded", {"at": "workbench:mark_pipeline", "when": "before"}),
    ("index rows are written", {"at": f"{_LAKE}:Lake.upsert", "when": "after", "of": "knowledge"}),
    ("before search structures are built", {"at": f"{_STEPS}.knowledge:build_indexes", "when": "before"}),
    ("between tag and release", {"at": "lancedb.table:Tags.create", "when": "after", "of": "release-"}),
    ("released, and not noted", {"at": f"{_STEPS}.release:mark_handled", "when": "before"}),
]  # fmt: skip
_LONG = int(os.environ.get("AION_TEST_KILLS") or counts.amount(2, 12))


def _edition(site: CountingSite, edition: str) -> None:
    """Most pages say something new, two are gone, one is new."""
    fill(site, edition)
    for name in ("/reefs", "/owls"):
        site.failing[name] = 410
    site.pages["/"] = page("Almanac", f"The {edition} edition.", *site.pages.keys(), "/new")
    site.pages["/new"] = page("New", f"What the {edition} almanac says of things unheard of.")


def test_a_first_run_killed_while_it_makes_its_tables_is_finished_by_the_next(
    victim: Victim, site: CountingSite
) -> None:
    fill(site, count=6)
    assert victim.run({"at": "lancedb.db:LanceDBConnection.create_table", "when": "after", "call": 2}) == -9
    assert victim.run() == 0
    victim.versions()
    assert victim.bench.due(victim.source) == ""
    assert victim.bench.lake.count(victim.bench.knowledge_table) == victim.bench.lake.count("chunks") > 0


def test_a_collection_asked_for_after_a_killed_one_sees_what_changed_behind_that_one(
    victim: Victim, site: CountingSite
) -> None:
    fill(site, count=12)
    assert victim.run({"at": f"{_STEPS}.pages:_PageWriter.flush", "when": "after", "call": 1}) == -9
    stored = victim.up_to_date()
    assert stored
    fill(site, "second", count=12)
    request_collection(victim.bench.database, victim.source.source_id)
    assert victim.run() == 0
    assert victim.up_to_date() == set(site.pages)
    assert victim.bench.due(victim.source) == ""


@pytest.mark.timeout(600)
def test_a_run_killed_at_every_point_in_turn_ends_as_if_nothing_had_happened(
    victim: Victim, site: CountingSite, tmp_path: Path
) -> None:
    assert victim.run() == 0
    first = victim.bench.release().release_id
    _edition(site, "second")
    request_collection(victim.bench.database, victim.source.source_id)
    stored: set[str] = set()
    with victim.reader() as served:
        for name, plan in POINTS:
            before = get_source(victim.bench.database, victim.bench.settings, victim.source.source_id)
            visited, asked = victim.visited_in(before.collection_id), dict(site.asked)
            assert victim.run(plan) == -9, f"no run came to the point: {name}"
            again = {path for path in visited if before.collection_id and site.asked[path] != asked[path]}
            assert not again, f"{name}: what was stored was asked for again"
            assert stored <= (stored := victim.up_to_date()), f"{name}: a stored page was lost"
            victim.versions()
            assert victim.bench.due(victim.source), f"{name}: nobody would finish the work"
        released_before_the_end = list(served)
        assert victim.run() == 0
    counts.note("kills of a run between two commits", len(POINTS))
    assert released_before_the_end[0] == first and len(released_before_the_end) <= 2
    assert victim.bench.due(victim.source) == ""
    assert victim.versions() == undisturbed_versions(tmp_path, site)
    assert victim.bench.found("the second almanac on lavender")[0] == "lavender"
    assert victim.bench.found("reefs and owls of the first almanac") != []
    assert not {"reefs", "owls"} & set(victim.bench.found("reefs and owls of the first almanac", 50))


@pytest.mark.timeout(60 + 120 * _LONG)
def test_runs_killed_at_random_moments_end_as_if_nothing_had_happened(
    victim: Victim, site: CountingSite, tmp_path: Path, dice: random.Random
) -> None:
    """Many more moments: AION_TEST_KILLS=200 pytest tests/faults/test_kill.py -k random."""
    started = time.monotonic()
    assert victim.run() == 0
    whole_run_s = time.monotonic() - started
    killed = 0
    with victim.reader():
        number = 0
        while number < _LONG or (killed < _LONG // 2 and number < 3 * _LONG):  # some runs end before their moment
            if number % 3 == 0:
                _edition(site, f"edition {number}")
                request_collection(victim.bench.database, victim.source.source_id)
            moment_s = dice.uniform(0.1, 0.9) * whole_run_s
            killed += kill_at_random(victim.start(), moment_s, whole_group=number % 2 == 0)
            victim.assert_no_child_is_left()
            victim.versions()
            number += 1
        assert victim.run() == 0
    assert killed >= _LONG // 2
    counts.note("kills of a run at random moments", killed)
    assert victim.versions() == undisturbed_versions(tmp_path, site)


@pytest.mark.timeout(60 + 120 * _LONG)
def test_an_aion_run_killed_at_random_moments_is_finished_by_the_next(
    victim: Victim, site: CountingSite, tmp_path: Path, dice: random.Random
) -> None:
    started = time.monotonic()
    assert victim.start_aion_run().wait(120) == 0
    whole_run_s = time.monotonic() - started
    killed = 0
    with victim.reader():
        number = 0
        while number < _LONG or (killed < _LONG // 2 and number < 3 * _LONG):  # some runs end before their moment
            _edition(site, f"edition {number}")
            request_collection(victim.bench.database, victim.source.source_id)
            # Its first third is the import of Dagster.
            killed += kill_at_random(victim.start_aion_run(), dice.uniform(0.3, 0.9) * whole_run_s, whole_group=True)
            victim.assert_no_child_is_left()
            victim.versions()
            number += 1
        assert victim.start_aion_run().wait(120) == 0
    assert killed >= _LONG // 2
    counts.note("kills of a run at random moments", killed)
    assert victim.bench.due(victim.source) == ""
    assert victim.versions() == undisturbed_versions(tmp_path, site)
    with dagster_instance() as instance:
        runs = instance.get_runs()
    assert runs[0].status == dg.DagsterRunStatus.SUCCESS, "the last run finished the work"
    assert all(run.is_finished for run in runs), "a killed run is not shown as running for ever"
