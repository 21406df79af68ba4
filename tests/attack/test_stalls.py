"""A page or a text on which the work does not end is named and left out, and the others go on."""

import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import counts
import pytest
from loopback import CountingSite, counting_site, page
from workbench import Workbench

import aion_assets
from aion_assets.core.errors import StalledError
from aion_assets.core.index import chunker
from aion_assets.core.process.patience import patience
from aion_assets.core.settings import Settings


@pytest.fixture
def site() -> Iterator[CountingSite]:
    with counting_site() as made:
        yield made


@pytest.fixture
def bench(settings: Settings) -> Iterator[Workbench]:
    made = Workbench(settings.model_copy(update={"parse_timeout_s": 2.0, "crawl_delay_s": 0.0}))
    yield made
    made.database.engine.dispose()


def endless_markup() -> bytes:
    """Its encoding hides the tag from the look at its attributes, and libxml2 compares each with all before it."""
    attributes = " ".join(f"a{number}" for number in range(120_000))
    return f"<html><body><p {attributes}>x</p></body></html>".encode("utf-16")


def test_a_page_that_the_crawler_cannot_read_is_named_and_the_others_are_collected(
    bench: Workbench, site: CountingSite
) -> None:
    site.pages = {"/": page("Start", "Start.", "/a", "/stuck", "/z"), "/a": page("A", "First.", "/b")}
    site.pages |= {"/b": page("B", "Second."), "/z": page("Z", "Last.", "/y"), "/y": page("Y", "Behind.")}
    site.pages["/stuck"] = endless_markup()
    site.types["/stuck"] = "text/html; charset=utf-16"
    source = bench.add(f"{site.root}/")
    report = bench.collect(source)
    rows = {row["url"].removeprefix(site.root): row for row in bench.rows("pages", "url outcome reason", source)}
    assert {path for path, row in rows.items() if row["outcome"] == "stored"} == {"/", "/a", "/b", "/z", "/y"}
    assert rows["/stuck"]["outcome"] == "error"
    assert rows["/stuck"]["reason"] == "reading its links took longer than 2 s"
    assert report.notes["complete"] == "yes"
    assert site.bodies["/"] == 1, "what was collected is not fetched again"
    counts.note("pages on which reading does not end", 1)


def test_a_page_that_ends_the_crawler_is_named_and_the_others_are_collected(
    bench: Workbench, site: CountingSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a fault in a library written in C does."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, lxml.html\n"
        "real = lxml.html.document_fromstring\n"
        "lxml.html.document_fromstring = lambda body, **more: os.abort() if b'poison' in body else real(body, **more)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(aion_assets.__file__).parents[1]}")
    site.pages = {"/": page("Start", "Start.", "/a", "/deadly", "/z"), "/deadly": page("Deadly", "poison")}
    site.pages |= {"/a": page("A", "First."), "/z": page("Z", "Last.", "/y"), "/y": page("Y", "Behind.")}
    source = bench.add(f"{site.root}/")
    assert bench.collect(source).notes["complete"] == "yes"
    rows = {row["url"].removeprefix(site.root): row for row in bench.rows("pages", "url outcome reason", source)}
    assert {path for path, row in rows.items() if row["outcome"] == "stored"} == {"/", "/a", "/z", "/y"}
    assert rows["/deadly"]["reason"] == "reading its links ended the crawler"
    counts.note("pages that end the process which reads them", 1)


def test_a_text_that_cannot_be_cut_in_time_is_quarantined_and_the_others_are_indexed(
    bench: Workbench, site: CountingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expression that AION used for sentences, on the text that stopped it."""
    quadratic = re.compile(r"[.!?…]+[\"']*[^\S\n]+(?=[A-Z])")
    real = chunker.sentence_spans

    def slow(text: str) -> list[tuple[int, int]]:
        quadratic.findall(text)
        return real(text)

    monkeypatch.setattr(chunker, "sentence_spans", slow)
    site.pages = {"/": page("Start", "Tea is served at four.", "/stuck", "/z"), "/z": page("Z", "Coffee at nine.")}
    site.pages["/stuck"] = page("Stuck", "Word " + "." * 300_000 + "iv")
    source = bench.add(f"{site.root}/", auto_approve=True)
    patient, hasty = bench.settings.model_copy(update={"parse_timeout_s": 60.0}), bench.settings
    for step, settings in ((bench.collect, hasty), (bench.parse, patient), (bench.curate, hasty), (bench.chunk, hasty)):
        bench.settings = settings
        step(source)
    found = bench.rows("documents", "url state reason detail", source)
    documents = {row["url"].removeprefix(site.root): row for row in found}
    assert documents["/stuck"]["state"] == "quarantined"
    assert documents["/stuck"]["reason"] == "timeout"
    assert "longer than 2 s" in documents["/stuck"]["detail"]
    assert {path for path, row in documents.items() if row["state"] == "parsed"} == {"/", "/z"}
    assert {row["url"].removeprefix(site.root) for row in bench.rows("chunks", "url", source)} == {"/", "/z"}
    report = bench.chunk(source)
    assert not report.counts["documents_new"], "what was left out is not tried at every run"
    counts.note("texts on which cutting does not end", 1)


def test_patience_ends_a_loop_and_an_expression_and_keeps_an_earlier_alarm() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    kept = signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        with pytest.raises(StalledError, match=r"The loop took longer than 0\.2 s"), patience(0.2, "The loop"):
            while True:
                pass
        with pytest.raises(StalledError), patience(0.2, "The expression"):
            re.search(r"(a+)+b", "a" * 60)
        with patience(60, "Nothing"):
            pass
        deadline = time.monotonic() + 10
        while not rung and time.monotonic() < deadline:
            time.sleep(0.05)
        assert rung, "the alarm that was set before rings"
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *kept)


def test_patience_holds_in_every_thread_and_for_each_by_itself() -> None:
    def endless(number: int) -> str:
        try:
            with patience(0.1 * (number + 1), f"Loop {number}"):
                while True:
                    sum(range(1_000))
        except StalledError as error:
            return error.what

    def in_time(_number: int) -> int:
        done = 0
        while done < 300:
            with suppress(StalledError), patience(0.000_5 if done % 3 else 60, "A short one"):
                sum(range(1_000))
            done += 1
        return done

    with ThreadPoolExecutor(6) as threads:
        late, quick = threads.map(endless, range(3)), threads.map(in_time, range(3))
        assert [*late] == [f"Loop {number} took longer than {0.1 * (number + 1):g} s." for number in range(3)]
        assert [*quick] == [300] * 3, "what rings too late rings nowhere"
    counts.note("loops that do not end, in threads of their own", 3)
