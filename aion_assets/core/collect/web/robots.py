"""What a host asks of crawlers (robots.txt, RFC 9309) and which pages it lists (sitemaps.org)."""

from dataclasses import dataclass, field

from lxml import etree
from protego import Protego
from scrapy.utils.gz import gunzip
from scrapy.utils.sitemap import Sitemap

from aion_assets.core.fetch.urls import canonical_url

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
