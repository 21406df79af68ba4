"""The crawler's process: reads a job from stdin, writes rows to a pipe, logs to stderr.

It never outlives its parent. On Linux the kernel kills it; everywhere it watches stdin, which the parent holds open.
"""

import asyncio
import os
import sys
import threading
import warnings
from ipaddress import ip_address
from typing import IO, Any

from aion_assets.core.collect.web.wire import CrawlJob, receive_job, send_end, send_page, send_reading
from aion_assets.core.errors import BlockedAddressError
from aion_assets.core.fetch.guard import is_public, resolve
from aion_assets.core.fetch.named_hosts import may_be_private
from aion_assets.core.fetch.urls import Scope
from aion_assets.core.process.lifetime import die_with_parent
from aion_assets.core.records import CollectedPage


def main() -> int:
    """`argv`: file descriptor of the pipe, process id of the parent."""
    rows_pipe, parent = map(int, sys.argv[1:])
    die_with_parent(parent)
    job, known = receive_job(sys.stdin.buffer)
    threading.Thread(target=_watch_parent, daemon=True).start()
    with os.fdopen(rows_pipe, "wb") as rows:
        return _crawl(job, known, rows)


def _crawl(job: CrawlJob, known: dict[str, Any], rows: IO[bytes]) -> int:
    warnings.simplefilter("ignore")  # deprecations inside Scrapy are not the operator's business
    from scrapy.crawler import AsyncCrawlerProcess

    from aion_assets.core.collect.web.spider import SiteSpider

    order = asyncio.Lock()

    async def send_row(page: CollectedPage, queued: int) -> None:
        # In a thread: a parent that is busy with its disk may slow the crawl down, but must not stop its timers.
        async with order:
            await asyncio.to_thread(send_page, rows, page, queued)

    async def tell_reading(url: str) -> None:
        async with order:
            await asyncio.to_thread(send_reading, rows, url)

    unpaced = unpaced_hosts(job)
    process = AsyncCrawlerProcess(scrapy_settings(job, unpaced))
    crawler = process.create_crawler(SiteSpider)
    process.crawl(crawler, job=job, known=known, send=(send_row, tell_reading), unpaced=unpaced)
    process.start(install_signal_handlers=False)
    end = crawler.spider.end if isinstance(crawler.spider, SiteSpider) else None
    if end is None:
        return 1
    send_end(rows, end)
    return 0


def scrapy_settings(job: CrawlJob, unpaced: frozenset[str]) -> dict[str, Any]:
    handler = "aion_assets.core.collect.web.fetcher.GuardedDownloadHandler"
    return {
        "TWISTED_REACTOR_ENABLED": False,  # asyncio alone; the handler is asyncio's
        "DOWNLOAD_HANDLERS": {"http": handler, "https": handler, "data": None, "file": None, "ftp": None, "s3": None},
        # The spider does this work itself, with an outcome for each location; the rest is the guard's.
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {"scrapy.extensions.throttle.AutoThrottle": 0},
        "CONCURRENT_REQUESTS": 0,  # bounded for each host
        "CONCURRENT_REQUESTS_PER_DOMAIN": job.concurrency,
        "DOWNLOAD_DELAY": job.delay_s,
        "DOWNLOAD_SLOTS": {host: {"delay": 0} for host in unpaced},
        "AUTOTHROTTLE_ENABLED": job.delay_s > 0,
        "AUTOTHROTTLE_START_DELAY": job.delay_s,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": 2.0,
        "AUTOTHROTTLE_MAX_DELAY": 10.0,
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "WARNING",
    }


def unpaced_hosts(job: CrawlJob) -> frozenset[str]:
    """Hosts of the source inside the allow-listed private networks. They are the operator's own and need no pause. No
    other private host may be reached in this source: the allow-list permits what a person named, not what a page names.
    """
    hosts = set()
    named = Scope(job.seed, job.allow_domains).hosts
    for host in (host for host in named if may_be_private(host, job.private_hosts)):
        try:
            addresses = resolve(host, 80, job.allowed_networks)
        except (OSError, BlockedAddressError):  # the visit of its pages says so
            continue
        if not any(is_public(ip_address(address)) for address in addresses):
            hosts.add(host)
    return frozenset(hosts)


def _watch_parent() -> None:
    # Read the bare descriptor: a lock on sys.stdin held by this thread would break the interpreter's shutdown.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
