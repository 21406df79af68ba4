"""Which pages of a crawl duplicate another one, in whatever order they arrive.

A page is a duplicate for one of three reasons: it names another address as its own (`rel=canonical`) and says nothing
that is not said there, its bytes are those of a page already seen, or it shows the same text as another query of its
path. The original may not be visited yet. The page then waits until the outcome of its original is known.

Names alone are not believed: templates name the start page, or a section's, on every page.
"""

from array import array
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aion_assets.core.collect.responses import body_is_held
from aion_assets.core.collect.web.frontier import PAGE_OUTCOMES, Entry
from aion_assets.core.collect.web.markup import Markup
from aion_assets.core.fetch.urls import Scope, without_query
from aion_assets.core.records import CollectedPage, KnownPage, Outcome


@dataclass(slots=True)
class Claim:
    """`page` may duplicate `original`. It does if the outcome of `original` is among `confirmed_by`, and if `pieces`,
    the fingerprints of its texts, are among those of the original. None: the texts need not be compared.
    """

    entry: Entry
    page: CollectedPage
    original: str
    reason: str
    confirmed_by: frozenset[Outcome]
    pieces: "array[int] | None" = None


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
        self._duplicated: dict[str, str] = {}  # duplicate of an earlier collection → its original
        self._pieces: dict[str, array[int]] = {}  # page seen in this collection → fingerprints of its texts
        for page in known.values():
            if page.collection_id == collection_id:
                self._outcomes[page.locator] = page.outcome
                if page.outcome in PAGE_OUTCOMES:
                    self._owners.setdefault(page.content_hash, page.locator)
                continue
            if page.outcome is Outcome.DUPLICATE and page.links:
                self._duplicated[page.locator] = page.links[0]
            if body_is_held(page):
                self._former_owners.setdefault(page.content_hash, page.locator)

    def claim_of(self, entry: Entry, page: CollectedPage, markup: Markup, known: KnownPage | None) -> Claim | None:
        """The claim that this page is a duplicate; None makes the page an original.

        Pass `known` for a page whose body the server did not send because it is unchanged.
        """
        self._pieces[page.locator] = markup.pieces
        for claim in () if entry.decided else self._claims_on_others(entry, page, markup, known):
            if claim.original not in self._outcomes or self._is_confirmed(claim):
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
        if markup.canonical not in ("", page.locator) and self._scope.contains(markup.canonical):
            claim = _claim(entry, page, markup.canonical, "names as its canonical address")
            claims.append(replace(claim, pieces=markup.pieces))
        former = self._former_owners.get(page.content_hash, page.locator)
        if page.outcome is Outcome.STORED and former != page.locator:
            claims.append(Claim(entry, page, former, "same content as", confirmed_by=_CONTENT_IS_AS_BEFORE))
        return claims

    def _is_confirmed(self, claim: Claim) -> bool:
        """Whether a settled claim holds. Where the original was not sent again, its texts are not known, and a page
        that was its duplicate before still is.
        """
        if self._outcomes[claim.original] not in claim.confirmed_by:
            return False
        if claim.pieces is None:
            return True
        original = self._pieces.get(claim.original)
        if original is None or (not original and self._outcomes[claim.original] is Outcome.UNCHANGED):
            return self._duplicated.get(claim.page.locator) == claim.original
        return set(claim.pieces) <= set(original)

    def is_settled(self, claim: Claim) -> bool:
        return claim.original in self._outcomes

    def wait(self, claim: Claim) -> None:
        self._waiting.setdefault(claim.original, []).append(replace(claim, page=replace(claim.page, body=None)))

    def settle(self, page: CollectedPage) -> tuple[list[CollectedPage], list[Entry]]:
        """Take the outcome of a location. Returns the rows that it decides, and the locations to visit after all."""
        self._outcomes[page.locator] = page.outcome
        rows, again = [], []
        for claim in self._waiting.pop(page.locator, ()):
            if self._is_confirmed(claim):
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
