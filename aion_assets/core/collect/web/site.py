"""Web sites: the parent's side of the crawler."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Emit, Progress, ReportProgress
from aion_assets.core.collect.web.wire import CrawlEnd, CrawlJob, receive_rows, send_job
from aion_assets.core.errors import SourceError, TransientFetchError
from aion_assets.core.fetch.urls import Scope, canonical_url
from aion_assets.core.records import CollectedPage, KnownPage, Outcome


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
        end, status = _run_child(_crawl(job), job.known, _Counting(report, emit, progress))
        if end is None:
            raise TransientFetchError(
                f"The crawler of {job.source.address} ended early, with status {status}; its log tells why.",
                "What it had fetched is kept: run it again, and it goes on from there.",
            )
        report.failure = end.failure
        report.unreachable = end.unreachable
        report.fetched_bytes = end.fetched_bytes
        report.off_domain_links = end.off_domain_links
        report.resumed = end.resumed
        report.complete = not report.failure
        report.seconds = time.monotonic() - started
        return report


def _crawl(job: CollectionJob) -> CrawlJob:
    source, settings = job.source, job.settings
    seed = WebConnector.normal_address(source.address)
    Scope(seed, source.allow_domains)  # report a broken domain here, not in the child's log
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
        allowed_networks=settings.allow_private_networks,
    )


class _Counting:
    """Pass rows on and count them."""

    def __init__(self, report: CollectionReport, emit: Emit, progress: ReportProgress) -> None:
        self._report = report
        self._emit = emit
        self._progress = progress
        self._state = Progress()

    def __call__(self, page: CollectedPage, queued: int) -> None:
        self._emit(page)
        self._report.counts[page.outcome] += 1
        state = self._state
        state.done += 1
        state.queued = queued
        state.stored += page.outcome is Outcome.STORED
        state.current = page.url
        state.bytes += len(page.body or b"")
        self._progress(state)


def _run_child(job: CrawlJob, known: Mapping[str, KnownPage], on_row: _Counting) -> tuple[CrawlEnd | None, int]:
    """The crawler's end message, None when it died before sending one, and its exit status."""
    read_end, write_end = os.pipe()
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "aion_assets.core.collect.web.child", str(write_end), str(os.getpid())],
            stdin=subprocess.PIPE,
            pass_fds=(write_end,),
            start_new_session=True,  # Ctrl-C reaches the parent alone; the parent then ends the child
        )
    finally:
        os.close(write_end)
    end: CrawlEnd | None = None
    assert child.stdin is not None
    try:
        with os.fdopen(read_end, "rb") as rows:
            try:
                send_job(child.stdin, job, known)
            except BrokenPipeError:
                return None, child.wait()
            for row in receive_rows(rows):
                if isinstance(row, CrawlEnd):
                    end = row
                else:
                    on_row(*row)
        return end, child.wait()
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
