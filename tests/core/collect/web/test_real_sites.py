"""A stored copy of a real site is crawled wholly, and not again while it stays as it is."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from collecting import collect, source_of

from aion_assets.core.records import Outcome
from aion_assets.core.settings import Settings

PORT = 18_417
SITES = {"pt_rust_book": ("", 88), "pt_rails_guides": ("", 67), "en_git_docs": ("git.html", 229)}


@pytest.fixture(params=SITES)
def real_site(request: pytest.FixtureRequest, shared_data: Path) -> Iterator[tuple[str, int]]:
    start, pages = SITES[request.param]
    server = subprocess.Popen(
        [
            sys.executable,
            shared_data.parent / "tools" / "serve_site.py",
            shared_data / "sites" / request.param,
            str(PORT),
            "guides.rubyonrails.org",
        ],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/{start}"):
                break
        except OSError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
    yield f"http://127.0.0.1:{PORT}/{start}", pages
    server.terminate()
    server.wait()


def test_a_real_site_is_stored_wholly_and_then_found_unchanged(
    real_site: tuple[str, int], loopback_settings: Settings
) -> None:
    address, pages = real_site
    source = source_of("web", address)
    first = collect(source, loopback_settings)
    assert first.report.counts[Outcome.STORED] == pages
    assert first.report.complete
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.report.counts[Outcome.STORED] == 0
    assert second.report.counts[Outcome.UNCHANGED] == pages
    assert second.rows.keys() == first.rows.keys()
