"""The sitemaps of a site: fetched one after the other, their pages put into the frontier."""

import logging
from collections.abc import Sequence

from aion_assets.core.collect.responses import REDIRECTS
from aion_assets.core.collect.web.fetcher import Fetcher
from aion_assets.core.collect.web.frontier import Frontier
from aion_assets.core.collect.web.robots import read_sitemap
from aion_assets.core.errors import FetchError
from aion_assets.core.fetch.urls import canonical_url

MAX_SITEMAPS = 1_000
_log = logging.getLogger(__name__)
_DEPTH = 1  # a page that a sitemap lists is as near as one that the start page links to


class SitemapReader:
    """`problems` takes a sentence for each sitemap that could not be read."""

    def __init__(self, fetcher: Fetcher, frontier: Frontier, problems: dict[str, None], max_bytes: int) -> None:
        self._fetcher = fetcher
        self._frontier = frontier
        self._problems = problems
        self._max_bytes = max_bytes
        self._seen: set[str] = set()

    async def read_all(self, first: Sequence[str], *, is_guess: bool) -> None:
        """Read these sitemaps and those that they name. `is_guess`: no one said that they are there."""
        queue = self._new(first)
        while queue:
            queue += await self._read(queue.pop(0), is_guess)

    async def _read(self, url: str, is_guess: bool) -> list[str]:
        """Returns the further sitemaps that this one names."""
        if not self._frontier.scope.contains(url) and is_guess:
            return []
        try:
            answer = await self._fetcher.fetch(url, {})
            if answer.status in REDIRECTS:
                target = canonical_url(answer.headers.get("location", ""), url)
                return self._new([target] if target else [])
            if answer.status != 200:
                if answer.status >= 500 or answer.status == 429:
                    self._problems[f"the sitemap {url} cannot be read: the server answers {answer.status}"] = None
                return []
            content = read_sitemap(answer.body, url, self._max_bytes)
        except ValueError as error:
            if not is_guess:
                _log.warning("the sitemap %s %s", url, error)
            return []
        except FetchError as error:
            self._problems[f"the sitemap {url} cannot be read: {error.what}"] = None
            return []
        self._frontier.add_links(content.pages, _DEPTH)
        return self._new(content.sitemaps)

    def _new(self, found: Sequence[str]) -> list[str]:
        new = [url for url in dict.fromkeys(found) if url not in self._seen][: max(0, MAX_SITEMAPS - len(self._seen))]
        self._seen.update(new)
        return new
