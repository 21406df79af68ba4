"""A crawl that is killed goes on where it was: nothing that was kept is fetched again."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from collecting import Site, collect, html, known_page, source_of

from aion_assets.core.collect.connector import CollectionJob, vanished
from aion_assets.core.collect.web.site import WebConnector
from aion_assets.core.errors import TransientFetchError
from aion_assets.core.records import CollectedPage, KnownPage, Outcome
from aion_assets.core.settings import Settings

PAGES = 60
# Collects the site and notes each row.
COLLECTS = """
import json, sys
from pathlib import Path
from aion_assets.core.collect.connector import CollectionJob
from aion_assets.core.collect.web.site import WebConnector
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings

source = Source("s1", "default", "web", sys.argv[1], "a source", 0, 10, 1000)
settings = Settings(home=Path(sys.argv[2]), allow_private_networks="127.0.0.0/8")
with open(sys.argv[3], "w") as journal:
    def emit(page):
        row = [page.locator, page.outcome, list(page.links), page.depth, page.content_hash]
        print(json.dumps(row), file=journal, flush=True)
    WebConnector().collect(CollectionJob(source, settings, {}, "now"), emit, lambda progress: None)
"""


@pytest.fixture
def large_site(site: Site) -> Site:
    site.pages = {"/": html("/0", "/old", "/copy")}
    for number in range(PAGES):
        links = [f"/{2 * number + 1}", f"/{2 * number + 2}"]
        site.pages[f"/{number}"] = html(*links, text=f"page {number}", delay_s=0.03, etag=f'"{number}"')
    site.pages["/old"] = html(text="old", status=302, headers={"Location": "/behind-old"})
    site.pages["/behind-old"] = html("/copy", text="behind")
    site.pages["/copy"] = html(text="page 3", delay_s=0.3)
    return site


def test_what_this_collection_visited_is_skipped_and_its_links_are_followed(
    large_site: Site, loopback_settings: Settings
) -> None:
    source = source_of("web", large_site.root)
    whole = collect(source, loopback_settings)
    kept = {
        locator: page for locator, page in whole.known("now").items() if page.depth <= 3 and "copy" not in page.locator
    }
    large_site.requests.clear()
    rest = collect(source, loopback_settings, kept, "now")
    assert rest.report.resumed == len(kept)
    assert rest.rows.keys() == whole.rows.keys() - kept.keys()
    assert rest.report.complete
    visited = {f"{large_site.root}{path}" for path in large_site.requests}
    assert not visited & kept.keys()
    assert vanished(kept, rest.rows, rest.report) == set()


def test_pages_of_the_killed_attempt_count_towards_the_cap(large_site: Site, loopback_settings: Settings) -> None:
    source = source_of("web", large_site.root, max_pages=10)
    first = collect(source, loopback_settings)
    stored = [page for page in first.rows.values() if page.outcome is Outcome.STORED]
    kept = {page.locator: known_page(page, "now") for page in stored[:6]}
    rest = collect(source, loopback_settings, kept, "now")
    assert rest.report.counts[Outcome.STORED] == 4


def test_a_look_at_held_pages_that_was_killed_goes_on_with_the_others(
    large_site: Site, loopback_settings: Settings
) -> None:
    held = collect(source_of("web", large_site.root), loopback_settings).known()
    del large_site.pages["/50"], large_site.pages["/51"]
    source = source_of("web", large_site.root, max_pages=10)
    whole = collect(source, loopback_settings, held, "now")
    assert whole.report.counts[Outcome.UNCHANGED] == PAGES - 2 + 3
    assert whole.outcomes()["/50"] == whole.outcomes()["/51"] == "gone"

    kept = dict(list(whole.known("now").items())[:40])
    large_site.requests.clear()
    rest = collect(source, loopback_settings, held | kept, "now")
    assert rest.rows.keys() | kept.keys() == whole.rows.keys()
    assert not {f"{large_site.root}{path}" for path in large_site.requests} & kept.keys()


def test_a_start_page_that_failed_before_the_kill_still_proves_nothing(
    large_site: Site, loopback_settings: Settings
) -> None:
    source = source_of("web", large_site.root)
    held = collect(source, loopback_settings).known()
    seed = KnownPage(f"{large_site.root}/", Outcome.ERROR, collection_id="now")
    rest = collect(source, loopback_settings, held | {seed.locator: seed}, "now")
    assert rest.report.unreachable
    assert rest.report.counts[Outcome.UNCHANGED] == PAGES + 2, "each was asked for by itself"
    assert vanished(held, rest.rows, rest.report) == set()


def test_killing_the_crawler_ends_the_collection_and_the_next_one_finishes_it(
    large_site: Site, loopback_settings: Settings
) -> None:
    source = source_of("web", large_site.root)
    kept: dict[str, KnownPage] = {}

    def emit(page: CollectedPage) -> None:
        kept[page.locator] = known_page(page, "now")
        if len(kept) >= 20:  # and every further one that is started
            for child in psutil.Process().children():
                with suppress(psutil.Error):  # it ended between two looks
                    if "aion_assets.core.collect.web.child" in child.cmdline():
                        child.kill()

    with pytest.raises(TransientFetchError, match="ended early, with status -9"):
        WebConnector().collect(CollectionJob(source, loopback_settings, {}, "now"), emit, lambda _: None)
    assert 20 <= len(kept) < PAGES

    before = dict(large_site.requests)
    rest = collect(source, loopback_settings, dict(kept), "now")
    assert rest.report.complete
    assert len(rest.rows) + len(kept) == PAGES + (PAGES + 1) + 4  # pages, their dead links, and the other four
    for locator in kept:
        path = locator.removeprefix(large_site.root)
        assert large_site.requests[path] == before[path], f"{path} was fetched again"


def test_killing_the_parent_kills_the_crawler_and_the_next_run_finishes(
    large_site: Site, loopback_settings: Settings, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    parent = subprocess.Popen(
        [sys.executable, "-c", COLLECTS, large_site.root, str(tmp_path / "home"), str(journal)],
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (not journal.exists() or journal.read_text().count("\n") < 15):
        time.sleep(0.02)
    (crawler,) = psutil.Process(parent.pid).children()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    crawler.wait(timeout=5)

    rows = [json.loads(line) for line in journal.read_text().splitlines()]
    kept = {
        locator: KnownPage(
            locator, Outcome(outcome), links=links, depth=depth, content_hash=content, collection_id="now"
        )
        for locator, outcome, links, depth, content in rows
    }
    before = dict(large_site.requests)
    rest = collect(source_of("web", large_site.root), loopback_settings, kept, "now")
    assert rest.report.complete
    for locator in kept:
        path = locator.removeprefix(large_site.root)
        assert large_site.requests[path] == before[path], f"{path} was fetched again"
    assert {f"{large_site.root}/{number}" for number in range(PAGES)} <= kept.keys() | rest.rows.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="process namespaces are Linux's")
def test_a_crawl_may_be_started_by_the_first_process_of_a_container(
    site: Site, loopback_settings: Settings, tmp_path: Path
) -> None:
    first_process = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*first_process, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel grants no process namespace")
    site.pages["/"] = html(text="the only page")
    journal = tmp_path / "journal"
    collects = [sys.executable, "-c", COLLECTS, site.root, str(tmp_path / "home"), str(journal)]
    subprocess.run([*first_process, *collects], check=True, timeout=60)
    assert [json.loads(line)[1] for line in journal.read_text().splitlines()] == ["stored"]
