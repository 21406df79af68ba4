"""Which pages of a crawl duplicate another one, in whatever order they arrive.

A page is a duplicate for one of three reasons: it names another address as its own (`rel=canonical`), its bytes are
those of a page already seen, or it shows the same text as another query of its path. The original may not be visited
yet. The page then waits until the outcome of its original is known.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aion_assets.core.collect.responses import body_is_held
from aion_assets.core.collect.web.frontier import PAGE_OUTCOMES, Entry
from aion_assets.core.collect.web.markup import Markup
from aion_assets.core.fetch.urls import Scope, without_query
from aion_assets.core.records import CollectedPage, KnownPage, Outcome


@dataclass(slots=True)
class Claim:
    """`page` may duplicate `original`. It does if the outcome of `original` is among `confirmed_by`."""

    entry: Entry
    page: CollectedPage
    original: str
    reason: str
    confirmed_by: frozenset[Outcome]


_NAMED_BY_PAGE = PAGE_OUTCOMES | {Outcome.DUPLICATE}
_CONTENT_IS_AS_BEFORE = frozenset({Outcome.UNCHANGED})


class Duplicates:
    def __init__(self, scope: Scope, known: Mapping[str, KnownPage], collection_id: str) -> None:
        self._scope = scope
        self._owners: dict[str, str] = {}  # content hash → page seen in this collection
        self._former_owners: dict[str, str] = {}  # content hash → page of an earlier collection, not visited yet
        self._shown: defaultdict[str, dict[str, str]] = defaultdict(dict)  # path → visible text → page
        self._outcomes: dict[str, Outcome] = {}
        self._waiting: dict[str, list[Claim]] = {}
        for page in known.values():
            if page.collection_id == collection_id:
                self._outcomes[page.locator] = page.outcome
                if page.outcome in PAGE_OUTCOMES:
                    self._owners.setdefault(page.content_hash, page.locator)
            elif body_is_held(page):
                self._former_owners.setdefault(page.content_hash, page.locator)

    def claim_of(self, entry: Entry, page: CollectedPage, markup: Markup, known: KnownPage | None) -> Claim | None:
        """The claim that this page is a duplicate; None makes the page an original.

        Pass `known` for a page whose body the server did not send because it is unchanged.
        """
        for claim in () if entry.decided else self._claims_on_others(entry, page, markup, known):
            outcome = self._outcomes.get(claim.original)
            if outcome is None or outcome in claim.confirmed_by:
                return claim
        path = without_query(page.locator)
        if (owner := self._owners.get(page.content_hash, page.locator)) != page.locator:
            if page.outcome is not Outcome.UNCHANGED:
                return _claim(entry, page, owner, "same content as")
        elif markup.shown and (owner := self._shown[path].get(markup.shown, page.locator)) != page.locator:
            return _claim(entry, page, owner, "shows the same text as")
        if page.content_hash:
            self._owners.setdefault(page.content_hash, page.locator)
        if markup.shown:
            self._shown[path].setdefault(markup.shown, page.locator)
        return None

    def _claims_on_others(
        self, entry: Entry, page: CollectedPage, markup: Markup, known: KnownPage | None
    ) -> list[Claim]:
        claims = []
        if known is not None and known.outcome is Outcome.DUPLICATE and known.links:
            claims.append(
                Claim(entry, page, known.links[0], "as before, the same as", confirmed_by=_CONTENT_IS_AS_BEFORE)
            )
        if markup.canonical not in ("", page.locator) and self._is_credible(page.locator, markup.canonical):
            claims.append(_claim(entry, page, markup.canonical, "names as its canonical address"))
        former = self._former_owners.get(page.content_hash, page.locator)
        if page.outcome is Outcome.STORED and former != page.locator:
            claims.append(Claim(entry, page, former, "same content as", confirmed_by=_CONTENT_IS_AS_BEFORE))
        return claims

    def _is_credible(self, locator: str, canonical: str) -> bool:
        """Ignore a home page that a deeper page names: faulty templates name it on every page of a site."""
        return self._scope.contains(canonical) and (
            urlsplit(canonical).path != "/" or urlsplit(locator).path.rpartition("/")[0] in ("", "/")
        )

    def is_settled(self, claim: Claim) -> bool:
        return claim.original in self._outcomes

    def wait(self, claim: Claim) -> None:
        self._waiting.setdefault(claim.original, []).append(replace(claim, page=replace(claim.page, body=None)))

    def settle(self, page: CollectedPage) -> tuple[list[CollectedPage], list[Entry]]:
        """Take the outcome of a location. Returns the rows that it decides, and the locations to visit after all."""
        self._outcomes[page.locator] = page.outcome
        rows, again = [], []
        for claim in self._waiting.pop(page.locator, ()):
            if page.outcome in claim.confirmed_by:
                rows.append(duplicate_row(claim))
            else:
                again.append(replace(claim.entry, fresh=True))
        return rows, again

    def break_circle(self) -> Entry | None:
        """Once nothing else is left to visit: a location to visit although what it waits for never came."""
        for original, claims in self._waiting.items():
            claim = claims.pop()
            if not claims:
                del self._waiting[original]
            return replace(claim.entry, fresh=True, decided=True)
        return None


def duplicate_row(claim: Claim) -> CollectedPage:
    """Put the original first among the links: the next collection looks for it there."""
    page = claim.page
    return replace(
        page,
        outcome=Outcome.DUPLICATE,
        reason=f"{claim.reason} {claim.original}",
        body=None,
        content_hash="",
        size_bytes=0,
        links=(claim.original, *(link for link in page.links if link != claim.original)),
    )


def _claim(entry: Entry, page: CollectedPage, original: str, reason: str) -> Claim:
    return Claim(entry, page, original, reason, confirmed_by=_NAMED_BY_PAGE)
