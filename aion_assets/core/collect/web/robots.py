"""What a host asks of crawlers (robots.txt, RFC 9309) and which pages it lists (sitemaps.org)."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lxml import etree
from protego import Protego
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap

from aion_assets.core.collect.responses import REDIRECTS
from aion_assets.core.collect.web.fetcher import Fetcher
from aion_assets.core.collect.web.wire import CrawlJob
from aion_assets.core.errors import TransientFetchError
from aion_assets.core.fetch.client import MAX_REDIRECTS
from aion_assets.core.fetch.urls import canonical_url, origin

MAX_ROBOTS_BYTES = 512_000  # RFC 9309 asks for at least 500 KiB to be read
# With a longer pause, a crawl of 1 000 pages would take more than eight hours.
MAX_CRAWL_DELAY_S = 30.0
_GZIP_MAGIC = b"\x1f\x8b"


class RobotsRules:
    """The rules for one product name, such as AION in "AION/1.0 (…)"."""

    def __init__(self, body: bytes, user_agent: str, url: str) -> None:
        self._rules = Protego.parse(body[:MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace"))
        self._name = user_agent.partition("/")[0].strip() or "*"
        self.crawl_delay_s = min(self._rules.crawl_delay(self._name) or 0.0, MAX_CRAWL_DELAY_S)
        self.sitemaps = [address for link in self._rules.sitemaps if (address := canonical_url(link, url))]

    def allow(self, url: str) -> bool:
        return self._rules.can_fetch(url, self._name)


class HostRules:
    """The rules of every host that a crawl meets, each read once."""

    def __init__(self, job: CrawlJob, fetcher: Fetcher) -> None:
        self._user_agent = job.user_agent
        self._fetcher = fetcher
        self._tasks: dict[str, asyncio.Task[RobotsRules]] = {}

    async def of(self, url: str) -> RobotsRules:
        """Raises TransientFetchError: the host's rules cannot be read, so none of its pages may be (RFC 9309)."""
        host = origin(url)
        if host not in self._tasks:
            self._tasks[host] = asyncio.create_task(self._fetch(host))
        return await asyncio.shield(self._tasks[host])

    def is_closed(self, url: str) -> bool:
        """Whether this host's rules could not be read, so that this collection visits none of its pages."""
        rules = self._tasks.get(origin(url))
        return rules is not None and rules.done() and rules.exception() is not None

    async def _fetch(self, host: str) -> RobotsRules:
        url: str | None = f"{host}/robots.txt"
        for _ in range(MAX_REDIRECTS):
            if url is None:
                break
            answer = await self._fetcher.fetch(url, {})
            if answer.status in REDIRECTS:
                url = canonical_url(answer.headers.get("location", ""), url)
                continue
            if answer.status >= 500 or answer.status == 429:
                raise TransientFetchError(f"robots.txt cannot be read: the server answers {answer.status}")
            rules = RobotsRules(answer.body if answer.status == 200 else b"", self._user_agent, url)
            self._fetcher.slow_down(urlsplit(host).hostname or "", rules.crawl_delay_s)
            return rules
        return RobotsRules(b"", self._user_agent, host)


@dataclass(slots=True)
class SitemapContent:
    pages: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)


def read_sitemap(body: bytes, url: str, max_bytes: int) -> SitemapContent:
    """Read a sitemap, an index of sitemaps, or a plain list of addresses; each may be compressed.

    Raises ValueError: it is none of these, or decompresses to more than `max_bytes`.
    """
    if body.startswith(_GZIP_MAGIC):
        try:
            body = gunzip(body, max_size=max_bytes)
        except (OSError, EOFError) as error:
            raise ValueError(f"cannot be unpacked: {error}") from error
    content = SitemapContent()
    if body.lstrip()[:4].lower() == b"http":
        links = body.decode("utf-8", "replace").split()
        content.pages = [address for link in links if (address := canonical_url(link, url))]
        return content
    try:
        sitemap = Sitemap(body)
    except (etree.LxmlError, StopIteration) as error:
        raise ValueError("is not XML") from error
    target = {"urlset": content.pages, "sitemapindex": content.sitemaps}.get(sitemap.type)
    if target is None:
        raise ValueError(f"has <{sitemap.type[:40]}> where a sitemap has <urlset>")
    target.extend(address for entry in sitemap if (address := canonical_url(entry.get("loc", ""), url)))
    return content
