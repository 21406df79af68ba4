"""The crawl of one web source, as a Scrapy spider. Runs in its own process, see `child`.

Scrapy paces and sends the requests. The spider itself decides the next location, redirects, robots.txt and retries,
because each location must end with exactly one recorded outcome.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from scrapy import Spider

from aion_assets.core.collect.responses import (
    REDIRECTS,
    Answer,
    body_is_held,
    conditional_headers,
    failed,
    judge,
    may_say_not_modified,
    unforeseen,
)
from aion_assets.core.collect.web.duplicates import Duplicates, duplicate_row
from aion_assets.core.collect.web.fetcher import Fetcher
from aion_assets.core.collect.web.frontier import PAGE_OUTCOMES, Entry, Frontier
from aion_assets.core.collect.web.gates import Gates
from aion_assets.core.collect.web.markup import NOINDEX, Markup, asks_not_to_be_indexed, is_print_edition, read_markup
from aion_assets.core.collect.web.robots import HostRules
from aion_assets.core.collect.web.sitemaps import SitemapReader
from aion_assets.core.collect.web.wire import CrawlEnd, CrawlJob, SendReading, SendRow
from aion_assets.core.errors import FetchError, TransientFetchError
from aion_assets.core.fetch.client import MAX_REDIRECTS, TooBigError
from aion_assets.core.fetch.media import HTML, is_never_a_document, media_type
from aion_assets.core.fetch.urls import Scope, canonical_url, origin
from aion_assets.core.records import CollectedPage, KnownPage, Outcome

logger = logging.getLogger(__name__)

_SITEMAPS = "sitemaps"  # their name in the frontier's list of what is in flight
_MARKUP_TYPES = frozenset({HTML, "application/xhtml+xml"})


class SiteSpider(Spider):
    name = "site"

    def __init__(
        self,
        job: CrawlJob,
        known: Mapping[str, KnownPage],
        send: tuple[SendRow, SendReading],
        unpaced: frozenset[str],
    ) -> None:
        super().__init__()
        self.job = job
        self.end: CrawlEnd | None = None
        self._known = known
        self._send_row, self._tell_reading = send
        self._reading = asyncio.Lock()
        self.unpaced = unpaced
        scope = Scope(job.seed, job.allow_domains)
        self._frontier = Frontier(scope, job.max_depth, job.max_pages)
        self._duplicates = Duplicates(scope, known, job.collection_id)
        self._gates = Gates()
        self._unreachable = ""
        self._problems: dict[str, None] = {}

    async def start(self) -> AsyncIterator[None]:
        self._fetcher = Fetcher(self.crawler, self.job, self.unpaced)
        self._rules = HostRules(self.job, self._fetcher)
        resumed = self._frontier.resume(self._known, self.job.collection_id)
        self._frontier.add(Entry(self.job.seed, 0))
        seed = self._known.get(self.job.seed)
        if seed is not None and seed.collection_id == self.job.collection_id:
            self._note_seed(seed.outcome)
        await self._crawl()
        self.end = CrawlEnd(
            failure=self._failure(),
            unreachable=bool(self._unreachable),
            fetched_bytes=self._fetcher.fetched_bytes,
            off_domain_links=len(self._frontier.off_domain),
            unlisted=self._frontier.unlisted,
            resumed=resumed,
        )
        return
        yield  # Scrapy wants a generator; the requests bypass its scheduler

    async def _crawl(self) -> None:
        self._frontier.hold(_SITEMAPS, 0)
        await self._visit_all({asyncio.create_task(self._read_sitemaps())})
        while self._frontier.recall(self._missing() if self._failure() else ()):
            await self._visit_all(set())
        self._frontier.drain()
        await self._record_refused()

    async def _visit_all(self, tasks: set[asyncio.Task[None]]) -> None:
        """Visit until the frontier is empty and no page waits for the outcome of another."""
        self._start_visits(tasks)
        while tasks:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*done)
            await self._record_refused()
            self._start_visits(tasks)
            while not tasks and (entry := self._duplicates.break_circle()):
                self._frontier.put_back(entry)
                self._start_visits(tasks)

    def _missing(self) -> list[str]:
        """Held pages to ask for one by one, because the crawl as a whole cannot tell whether they are gone."""
        return [locator for locator in self._frontier.held if not self._rules.is_closed(locator)]

    def _start_visits(self, tasks: set[asyncio.Task[None]]) -> None:
        # Twice the requests in flight at one host, so that the next request is always ready.
        while len(tasks) < 2 * self.job.concurrency and (entry := self._frontier.pop()):
            tasks.add(asyncio.create_task(self._visit(entry)))

    async def _visit(self, entry: Entry) -> None:
        try:
            page = await self._outcome_of(entry)
        except Exception as error:  # one page that our own code fails on must not cost the others
            page = self._failed(entry, Outcome.ERROR, unforeseen(error))
        if page is not None and page.outcome is Outcome.ERROR and not self._rules.is_closed(self.job.seed):
            # The pages it linked to have not vanished with it. Where the whole site is down, one outcome says so.
            self._frontier.add_links(page.links, entry.depth + 1)
        self._frontier.finish(entry, page.outcome if page else None)
        if page is not None:
            await self._record(page)

    async def _outcome_of(self, entry: Entry) -> CollectedPage | None:
        """None: the outcome depends on that of another location."""
        url = entry.locator
        if is_never_a_document(url):
            return self._failed(entry, Outcome.WRONG_TYPE, "files with this extension are not taken")
        if entry.hops > MAX_REDIRECTS:
            return self._failed(entry, Outcome.ERROR, f"reached by more than {MAX_REDIRECTS} redirects")
        try:
            if not await self._may_visit(url):
                return self._failed(entry, Outcome.ROBOTS, "robots.txt disallows it")
            known = None if entry.fresh else self._known.get(url)
            validators = conditional_headers(known) if known and may_say_not_modified(known) else {}
            answer = await self._fetch(url, validators)
            if answer.status in REDIRECTS:
                answer = await self._gates.pass_through(url, answer, self._fetch, self._may_visit)
        except TooBigError as error:
            return self._failed(entry, Outcome.TOO_BIG, error.what)
        except FetchError as error:
            if isinstance(error, TransientFetchError) and not self._known.get(url):
                logger.warning("%s: %s", url, error.what)
            return self._failed(entry, Outcome.ERROR, error.what)
        if answer.status in REDIRECTS:
            return self._redirect(entry, answer)
        return await self._judge(entry, answer, known if validators else self._held(url))

    async def _may_visit(self, url: str) -> bool:
        return (await self._rules.of(url)).allow(url)

    async def _fetch(self, url: str, headers: Mapping[str, str]) -> Answer:
        return await self._fetcher.fetch(url, self._gates.headers_for(url) | dict(headers), documents_only=True)

    def _held(self, url: str) -> KnownPage | None:
        known = self._known.get(url)
        return known if body_is_held(known) else None

    async def _judge(self, entry: Entry, answer: Answer, known: KnownPage | None) -> CollectedPage | None:
        page = judge(entry.locator, entry.locator, answer, known, entry.depth)
        if page.outcome not in PAGE_OUTCOMES:
            if page.outcome is Outcome.ERROR:
                page.links = self._failed(entry, page.outcome, "").links
            return page
        markup = Markup()
        if answer.body and media_type(page.content_type) in _MARKUP_TYPES:
            async with self._reading:  # told before and after: the parent ends a reading that does not end
                await self._tell_reading(entry.locator)
                markup = read_markup(answer.body, page.content_type, entry.locator)
                await self._tell_reading("")
            page.links = markup.links
        if refusal := self._refusal(entry, answer, markup):
            return refusal
        if markup.leads_to and self._frontier.scope.contains(markup.leads_to):
            return self._led_on(entry, markup.leads_to, f"leads on to {markup.leads_to}")
        self._frontier.add_links(page.links, entry.depth + 1)
        claim = self._duplicates.claim_of(entry, page, markup, None if answer.body else known)
        if claim is None and page.content_hash:
            return page
        if claim is None:  # "not modified" of a former duplicate that is an original by now
            self._frontier.put_back(replace(entry, fresh=True))
            return None
        if self._duplicates.is_settled(claim):
            return duplicate_row(claim)
        self._duplicates.wait(claim)
        self._frontier.add(Entry(claim.original, entry.depth))
        return None

    def _refusal(self, entry: Entry, answer: Answer, markup: Markup) -> CollectedPage | None:
        """The outcome of a page that is there but is none to keep, None for all others."""
        header = answer.headers.get("x-robots-tag", "")
        unwanted = asks_not_to_be_indexed(header, self.job.user_agent) or markup.noindex
        if unwanted and not is_print_edition(entry.locator):
            page = self._failed(entry, Outcome.ROBOTS, NOINDEX)
            page.links = () if markup.nofollow else tuple(markup.links)
            self._frontier.add_links(page.links, entry.depth + 1)
            return page
        if markup.is_error and self._held(entry.locator):
            return self._failed(entry, Outcome.GONE, "the server sends an error page with the status 200")
        return None

    def _led_on(self, entry: Entry, target: str, reason: str) -> CollectedPage:
        page = self._failed(entry, Outcome.REDIRECT, reason)
        page.links = (target,)
        self._frontier.add(Entry(target, entry.depth, hops=entry.hops + 1))
        return page

    def _redirect(self, entry: Entry, answer: Answer) -> CollectedPage:
        location = answer.headers.get("location", "")
        target = canonical_url(location, entry.locator)
        page = self._failed(entry, Outcome.REDIRECT, f"{answer.status} to {target or location[:200]}")
        page.status = answer.status
        if target is None:
            page.outcome, page.reason, page.links = Outcome.ERROR, f"{answer.status} to no web address", ()
        elif target == entry.locator:
            page.outcome, page.reason = Outcome.ERROR, f"{answer.status} to itself"
        elif not self._frontier.scope.contains(target):
            page.outcome, page.links = Outcome.OFF_DOMAIN, ()
        else:
            page = self._led_on(entry, target, page.reason)
            page.status = answer.status
        return page

    def _failed(self, entry: Entry, outcome: Outcome, reason: str) -> CollectedPage:
        page = failed(entry.locator, entry.locator, outcome, reason, self._known.get(entry.locator))
        page.depth = entry.depth
        return page

    async def _record(self, page: CollectedPage) -> None:
        if page.locator == self.job.seed:
            self._note_seed(page.outcome, page.reason)
        await self._send_row(page, self._frontier.queued)
        rows, again = self._duplicates.settle(page)
        for entry in again:
            self._frontier.put_back(entry)
        for row in rows:
            await self._record(row)

    def _note_seed(self, outcome: Outcome, reason: str = "") -> None:
        if outcome not in _A_SOUND_SEED and reason != NOINDEX:
            self._unreachable = reason or str(outcome)

    async def _record_refused(self) -> None:
        while self._frontier.refused:
            refusal = self._frontier.refused.pop()
            await self._record(self._failed(refusal.entry, refusal.outcome, refusal.reason))

    async def _read_sitemaps(self) -> None:
        try:
            rules = await self._rules.of(self.job.seed)
            guessed = f"{origin(self.job.seed)}/sitemap.xml"
            reader = SitemapReader(self._fetcher, self._frontier, self._problems, self.job.max_fetch_bytes)
            await reader.read_all(rules.sitemaps or [guessed], is_guess=not rules.sitemaps)
        except FetchError as error:
            self._problems[error.what] = None
        except Exception as error:  # what its host wrote costs the list of its pages, not the crawl
            self._problems[f"the sitemaps could not be read: {unforeseen(error)}"] = None
        finally:
            self._frontier.release(_SITEMAPS)

    def _failure(self) -> str:
        """Why this collection did not find everything, as far as is known; "" when it did."""
        if self._unreachable:
            self._problems.pop(self._unreachable, None)  # its robots.txt says the same again
            reason = self._unreachable.rstrip(".")
            self._problems = {f"the start page could not be read: {reason}": None} | self._problems
        elif not self._frontier.pages:
            self._problems["no page was found"] = None
        if self._frontier.queued:
            self._problems["more pages were found than the source may hold"] = None
        unlisted = self._frontier.unlisted
        return "; ".join([*self._problems, *([f"{unlisted} further addresses were only counted"] if unlisted else [])])


_A_SOUND_SEED = PAGE_OUTCOMES | {Outcome.DUPLICATE, Outcome.REDIRECT}
