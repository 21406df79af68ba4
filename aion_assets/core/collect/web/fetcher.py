"""Scrapy's way to the network: its download handler, and a fetch that retries when that may help."""

import asyncio
import logging
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Response

from aion_assets.core.collect.responses import TRANSIENT, Answer
from aion_assets.core.collect.web.wire import CrawlJob
from aion_assets.core.errors import FetchError, TransientFetchError
from aion_assets.core.fetch.client import ACCEPT_ENCODING, ACCEPT_LANGUAGE, GuardedAsyncTransport
from aion_assets.core.fetch.media import filename_of, may_be_taken
from aion_assets.core.fetch.urls import origin

logger = logging.getLogger(__name__)

RETRIES = 2
BACKOFF_S = 0.5
MAX_RETRY_AFTER_S = 30.0
# Small servers such as Python's http.server queue five connections. A sixth is dropped and has to be tried again.
UNPACED_CONCURRENCY = 4
# So many unreachable locations in a row mark a host as down.
FAILURES_OF_A_DEAD_HOST = 15


class _BrokenAnswerError(TransientFetchError):
    """The host answers, but not as HTTP. That is the matter of one address, and no sign that the host is down."""


class GuardedDownloadHandler(BaseDownloadHandler):
    """Scrapy's http and https handler. The time limit spans the whole answer: it also ends one that drips bytes."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        job: CrawlJob = crawler.spider.job  # type: ignore[union-attr]
        self._timeout_s = job.timeout_s
        self._client = httpx.AsyncClient(
            transport=GuardedAsyncTransport(
                job.allowed_networks,
                crawler.spider.unpaced,  # type: ignore[union-attr]
                job.max_fetch_bytes,
            ),
            timeout=job.timeout_s,
            trust_env=False,
        )
        self._client.headers.clear()  # Scrapy's request has its own

    async def download_request(self, request: Request) -> Response:
        started = asyncio.get_running_loop().time()
        headers = [(name, value) for name, values in request.headers.items() for value in values]
        async with asyncio.timeout(self._timeout_s):
            async with self._client.stream("GET", request.url, headers=headers) as answer:
                request.meta["download_latency"] = asyncio.get_running_loop().time() - started
                body = b"" if self._is_no_document(request, answer) else await answer.aread()
        self._client.cookies.clear()
        return Response(request.url, status=answer.status_code, headers=dict(answer.headers), body=body)

    @staticmethod
    def _is_no_document(request: Request, answer: httpx.Response) -> bool:
        return bool(
            request.meta.get("documents_only")
            and answer.status_code == httpx.codes.OK
            and not may_be_taken(answer.headers.get("content-type", ""), filename_of(request.url, answer.headers))
        )

    async def close(self) -> None:
        await self._client.aclose()


class Fetcher:
    def __init__(self, crawler: Crawler, job: CrawlJob, unpaced_hosts: frozenset[str]) -> None:
        self.fetched_bytes = 0
        self._crawler = crawler
        self._fixed_pace = set(unpaced_hosts)
        self._headers = {
            "User-Agent": job.user_agent,
            "Accept": "text/html, application/xhtml+xml, application/pdf, */*;q=0.8",
            "Accept-Encoding": ACCEPT_ENCODING,
            "Accept-Language": ACCEPT_LANGUAGE,
        }
        self._timeout_s = job.timeout_s
        self._failures: Counter[str] = Counter()  # origin → locations in a row
        # Scrapy 2.19 bounds it too, but lets through whatever is queued within one pass of the asyncio loop.
        self._turns: defaultdict[str | None, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(job.concurrency),
            {host: asyncio.Semaphore(min(job.concurrency, UNPACED_CONCURRENCY)) for host in unpaced_hosts},
        )

    async def fetch(self, url: str, headers: Mapping[str, str], documents_only: bool = False) -> Answer:
        """Fetch one address; return its answer whatever the status, unless the status calls for another attempt.

        Raises FetchError: there is no answer (BlockedAddressError and TooBigError among the causes).
        TransientFetchError: there may be one later.
        """
        host = origin(url)
        if self._failures[host] >= FAILURES_OF_A_DEAD_HOST:
            raise TransientFetchError("the host stopped answering")
        for attempt in range(RETRIES + 1):
            try:
                answer = await self._attempt(url, headers, documents_only)
            except TransientFetchError as error:
                if attempt == RETRIES:
                    self._failures[host] += not isinstance(error, _BrokenAnswerError)
                    raise
                await asyncio.sleep(_backoff_s(attempt))
                continue
            if answer.status not in TRANSIENT or attempt == RETRIES:
                self._failures.pop(host, None)
                return answer
            await asyncio.sleep(max(_backoff_s(attempt), _retry_after_s(answer.headers.get("retry-after", ""))))
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, url: str, headers: Mapping[str, str], documents_only: bool) -> Answer:
        host = urlsplit(url).hostname
        request = Request(
            url,
            headers=self._headers | dict(headers),
            meta={
                "documents_only": documents_only,
                "autothrottle_dont_adjust_delay": host in self._fixed_pace,
            },
            dont_filter=True,
        )
        try:
            async with self._turns[host]:
                response = await self._crawler.engine.download_async(request)
        except TimeoutError:
            raise TransientFetchError(f"no complete answer within {self._timeout_s:g} s") from None
        except httpx.RemoteProtocolError as error:
            said_nothing = "disconnected" in str(error)
            kind = TransientFetchError if said_nothing else _BrokenAnswerError
            raise kind(f"{_words(type(error).__name__)}: {error}") from error
        except httpx.TransportError as error:
            raise TransientFetchError(f"{_words(type(error).__name__)}: {error}") from error
        except (httpx.InvalidURL, httpx.HTTPError, ValueError) as error:
            raise FetchError(f"cannot be fetched: {error}") from error
        self.fetched_bytes += len(response.body)
        names = {name.decode("latin-1").lower(): value for name, value in response.headers.items()}
        return Answer(
            response.status,
            {name: b", ".join(value).decode("utf-8", "replace") for name, value in names.items()},
            response.body,
        )

    def slow_down(self, host: str, delay_s: float) -> None:
        """Obey the Crawl-delay of a host that was fetched from before, if it is longer than the setting."""
        slot = self._crawler.engine.downloader.slots.get(host)
        if slot is not None and delay_s > slot.delay:
            slot.delay, slot.jitter = delay_s, 0.0
            self._fixed_pace.add(host)


def _backoff_s(attempt: int) -> float:
    return BACKOFF_S * 2**attempt * random.uniform(0.75, 1.25)


def _retry_after_s(value: str) -> float:
    """Seconds that a Retry-After header asks for, capped at MAX_RETRY_AFTER_S."""
    try:
        seconds = float(value) if value.strip().isdecimal() else _seconds_until(value)
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _words(name: str) -> str:
    """ConnectError → connect error"""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
