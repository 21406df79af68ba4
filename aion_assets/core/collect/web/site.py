"""Web sites: the parent's side of the crawler."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress

from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Emit, Progress, ReportProgress
from aion_assets.core.collect.responses import failed
from aion_assets.core.collect.web.wire import CrawlEnd, CrawlJob, Reading, receive_rows, send_job
from aion_assets.core.errors import SourceError, TransientFetchError
from aion_assets.core.fetch.named_hosts import networks_of
from aion_assets.core.fetch.urls import Scope, canonical_url
from aion_assets.core.process.environment import bare_environment
from aion_assets.core.records import CollectedPage, KnownPage, Outcome

Process = subprocess.Popen[bytes]
# So many crawlers that could not read a page end a collection, which goes on with the next run.
_MOST_CRAWLERS = 100
# What dies of a page dies of it a second time. Deaths at different pages come from outside.
_DEATHS_OF_A_PAGE = 2


class WebConnector:
    kind = "web"

    @classmethod
    def accepts(cls, address: str) -> bool:
        if not address.lower().startswith(("http:", "https:")):
            return False
        cls.normal_address(address)
        return True

    @classmethod
    def normal_address(cls, address: str) -> str:
        url = canonical_url(address)
        if url is None:
            raise SourceError(f"{address!r} is not a web address.", "Give one such as https://example.org/.")
        if "@" in address.partition("//")[2].partition("/")[0]:
            raise SourceError("A web address with a user name or password in it cannot be a source.", "Leave them out.")
        return url

    def collect(self, job: CollectionJob, emit: Emit, progress: ReportProgress) -> CollectionReport:
        started = time.monotonic()
        report = CollectionReport(job.collection_id)
        crawl, deaths = _crawl(job), Counter[str]()
        with closing(_Counting(job, report, emit, progress)) as counting:
            for _ in range(_MOST_CRAWLERS):
                child = _Child(crawl, counting, job.settings.parse_timeout_s)
                child.run({**job.known, **counting.visited()} if counting.rows else job.known)
                deaths[child.reading] += not child.stalled
                if child.stalled or deaths[child.reading] == _DEATHS_OF_A_PAGE:
                    counting.leave_out(child.reading, child.stalled)
                    deaths.clear()
                elif child.end is not None or not child.reading or deaths.total() > _DEATHS_OF_A_PAGE:
                    break
        if child.end is None:
            raise TransientFetchError(
                f"The crawler of {job.source.address} ended early, with status {child.status}; its log tells why.",
                "What it had fetched is kept: run it again, and it goes on from there.",
            )
        report.failure = child.end.failure
        report.unreachable = child.end.unreachable
        report.fetched_bytes = child.end.fetched_bytes
        report.off_domain_links = child.end.off_domain_links
        report.resumed = child.end.resumed - child.went_on
        report.complete = not report.failure
        report.seconds = time.monotonic() - started
        return report


def _crawl(job: CollectionJob) -> CrawlJob:
    source, settings = job.source, job.settings
    seed = WebConnector.normal_address(source.address)
    named = Scope(seed, source.allow_domains).hosts  # reports a broken domain here, not in the child's log
    private_hosts = tuple(sorted(host for host in named if networks_of(host, settings)))
    return CrawlJob(
        seed=seed,
        allow_domains=source.allow_domains,
        max_depth=source.max_depth,
        max_pages=source.max_pages,
        collection_id=job.collection_id,
        user_agent=settings.user_agent,
        delay_s=settings.crawl_delay_s,
        concurrency=settings.crawl_concurrency,
        timeout_s=settings.crawl_timeout_s,
        max_fetch_bytes=settings.max_fetch_bytes,
        allowed_networks=settings.allow_private_networks if private_hosts else (),
        private_hosts=private_hosts,
    )


class _Counting:
    """Pass rows on and count them. A further crawler of this collection need not visit them again, so they are noted in
    a file: the links of a large site would fill the memory.
    """

    def __init__(self, job: CollectionJob, report: CollectionReport, emit: Emit, progress: ReportProgress) -> None:
        self.rows = 0
        self._noted = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 - it lives as long as this
        self._job = job
        self._report = report
        self._emit = emit
        self._progress = progress
        self._state = Progress()

    def __call__(self, page: CollectedPage, queued: int) -> None:
        self._emit(page)
        self.rows += 1
        noted = (page.locator, page.outcome, page.content_hash, list(page.links), page.depth)
        self._noted.write(f"{json.dumps(noted)}\n")
        self._report.counts[page.outcome] += 1
        state = self._state
        state.done += 1
        state.queued = queued
        state.stored += page.outcome is Outcome.STORED
        state.current = page.url
        state.bytes += len(page.body or b"")
        self._progress(state)

    def close(self) -> None:
        self._noted.close()

    def visited(self) -> dict[str, KnownPage]:
        self._noted.seek(0)
        found = {}
        for line in self._noted:
            locator, outcome, content_hash, links, depth = json.loads(line)
            found[locator] = KnownPage(
                locator,
                Outcome(outcome),
                content_hash=content_hash,
                links=tuple(links),
                depth=depth,
                collection_id=self._report.collection_id,
            )
        return found

    def leave_out(self, url: str, stalled: bool) -> None:
        """Record the page that the crawler did not get done with."""
        seconds = self._job.settings.parse_timeout_s
        why = f"took longer than {seconds:g} s" if stalled else "ended the crawler"
        self(failed(url, url, Outcome.ERROR, f"reading its links {why}", self._job.known.get(url)), self._state.queued)


class _Child:
    """One process of the crawler. After `run`: its `end`, None when it died before; `status`; and the page that it was
    `reading` when it died. `stalled`: it was ended because it took too long to read that page.
    """

    def __init__(self, job: CrawlJob, on_row: _Counting, reading_s: float) -> None:
        self.end: CrawlEnd | None = None
        self.status = 0
        self.reading = ""
        self.stalled = False
        self.went_on = on_row.rows  # rows of the crawlers before it
        self._job = job
        self._on_row = on_row
        self._reading_s = reading_s

    def run(self, known: Mapping[str, KnownPage]) -> None:
        read_end, write_end = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "aion_assets.core.collect.web.child", str(write_end), str(os.getpid())],
                stdin=subprocess.PIPE,
                pass_fds=(write_end,),
                env=bare_environment(),
                start_new_session=True,  # Ctrl-C reaches the parent alone; the parent then ends the child
            )
        finally:
            os.close(write_end)
        assert process.stdin is not None
        try:
            with os.fdopen(read_end, "rb") as rows:
                with suppress(BrokenPipeError):  # it died; its status tells how
                    send_job(process.stdin, self._job, known)
                self._receive(receive_rows(rows), process)
            self.status = process.wait()
        finally:
            process.kill()
            process.wait()
            with suppress(BrokenPipeError):
                process.stdin.close()

    def _receive(self, rows: Iterator[tuple[CollectedPage, int] | Reading | CrawlEnd], process: Process) -> None:
        while (row := self._next(rows, process)) is not None:
            if isinstance(row, CrawlEnd):
                self.end = row
            elif isinstance(row, Reading):
                self.reading = row.url
            else:
                self._on_row(*row)

    def _next(
        self, rows: Iterator[tuple[CollectedPage, int] | Reading | CrawlEnd], process: Process
    ) -> tuple[CollectedPage, int] | Reading | CrawlEnd | None:
        """The next message. While the crawler reads a page, it has so much time to go on; this process's own work, as a
        commit, does not count.
        """
        if not self.reading:
            return next(rows, None)
        timer = threading.Timer(self._reading_s, self._give_up, (process,))
        timer.start()
        try:
            return next(rows, None)
        finally:
            timer.cancel()

    def _give_up(self, process: Process) -> None:
        self.stalled = True
        process.kill()
