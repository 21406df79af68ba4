"""Which location a crawl visits next, and when it stops: pure bookkeeping, without any network.

Locations are visited by depth. The more query variants a path has, the deeper the next one counts, so that the caps of
a source cut off calendars and filters rather than its pages.

The caps hold for new pages only. A stored page is visited even beyond them: otherwise its disappearance would never be
noticed.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aion_assets.core.collect.responses import body_is_held
from aion_assets.core.fetch.urls import Scope, repeats_itself, without_query
from aion_assets.core.records import KnownPage, Outcome

PAGE_OUTCOMES = frozenset({Outcome.STORED, Outcome.UNCHANGED})
# Rows for locations that were found but not visited. Beyond this number they are only counted.
MAX_WAITING_PER_PAGE = 20
MIN_WAITING = 10_000
# Visits that give no page (redirects, duplicates, errors) are capped, too.
VISITS_PER_PAGE = 10
MIN_VISITS = 1_000
# So many duplicates in a row among the query variants of a path end the fetching of its further variants.
DUPLICATE_VARIANTS = 20
_VARIANTS_PER_LEVEL = 10


@dataclass(slots=True)
class Entry:
    """One location to visit.

    `hops`: redirects that led to it. `fresh`: ask for the body whatever is known. `decided`: the location no longer
    waits for a possible original.
    """

    locator: str
    depth: int
    hops: int = 0
    fresh: bool = False
    decided: bool = False


@dataclass(slots=True)
class Refusal:
    """A location that is not visited, with the outcome to record."""

    entry: Entry
    outcome: Outcome
    reason: str


class Frontier:
    def __init__(self, scope: Scope, max_depth: int, max_pages: int) -> None:
        self.scope = scope
        self.off_domain: set[str] = set()
        self.unlisted = 0
        self.pages = 0
        self.refused: list[Refusal] = []
        self.held: dict[str, int] = {}  # locators in scope whose page an earlier collection stored → depth then
        self._left_out: list[Entry] = []  # held, and refused by a cap
        self._recalled: deque[Entry] = deque()
        self._max_depth = max_depth
        self._max_pages = max_pages
        self._max_visits = max(MIN_VISITS, VISITS_PER_PAGE * max_pages)
        self._max_waiting = max(MIN_WAITING, MAX_WAITING_PER_PAGE * max_pages)
        self._found: set[str] = set()
        self._heap: list[tuple[int, int, Entry]] = []
        self._sequence = 0
        self._visits = 0
        self._refusals = 0
        self._in_flight: dict[str, int] = {}  # locator → depth
        self._variants: Counter[str] = Counter()
        self._fruitless: Counter[str] = Counter()

    def resume(self, known: Mapping[str, KnownPage], collection_id: str) -> int:
        """Mark what a killed attempt of this collection visited as visited, and what else is stored as held.

        Returns how many locations were visited.
        """
        self.held = {
            page.locator: page.depth
            for page in known.values()
            if body_is_held(page) and page.collection_id != collection_id and self.scope.contains(page.locator)
        }
        visited = [page for page in known.values() if page.collection_id == collection_id]
        self._found.update(page.locator for page in visited)
        self.pages += sum(page.outcome in PAGE_OUTCOMES for page in visited)
        for page in visited:
            self.add_links(page.links, page.depth + (page.outcome is not Outcome.REDIRECT))
        return len(visited)

    def add_links(self, links: Iterable[str], depth: int) -> None:
        for link in links:
            if link in self._found:
                continue
            if self.scope.contains(link):
                self.add(Entry(link, depth))
            elif len(self.off_domain) < self._max_waiting:
                self.off_domain.add(link)

    def add(self, entry: Entry) -> None:
        """Add a location that lies in scope, unless it was found before."""
        if entry.locator in self._found:
            return
        if max(len(self._heap), self._refusals) >= self._max_waiting:
            self.unlisted += 1
            return
        self._found.add(entry.locator)
        if entry.depth > self._max_depth:
            self._refuse(entry, f"deeper than {self._max_depth} links")
        elif repeats_itself(entry.locator):
            self._refuse(entry, "the path repeats itself")
        else:
            self._variants[without_query(entry.locator)] += 1
            self._push(entry)

    def put_back(self, entry: Entry) -> None:
        """Queue a location for a second visit."""
        self._push(entry)

    def pop(self) -> Entry | None:
        """The next location. None while there is none, and while those in flight may still use up the caps.

        A location waits for those two levels above it: they may still find it at a lesser depth.
        """
        while self._heap and not self.is_full and self.pages + len(self._in_flight) < self._max_pages:
            depth = self._heap[0][-1].depth
            if any(above <= depth - 2 for above in self._in_flight.values()):
                return None
            entry = heapq.heappop(self._heap)[-1]
            if self._fruitless[without_query(entry.locator)] >= DUPLICATE_VARIANTS:
                self._refuse(entry, f"{DUPLICATE_VARIANTS} other queries of this path gave duplicates")
                continue
            return self._begin(entry)
        return self._begin(self._recalled.popleft()) if self._recalled else None

    def recall(self, missing: Iterable[str]) -> bool:
        """Make `pop` give the held pages that the caps left out, and those of `missing` that were not found.

        Call it when `pop` gives nothing more. False when there is nothing to recall.
        """
        waiting = [item for item in self._heap if item[-1].locator not in self.held]
        self._recalled.extend(item[-1] for item in self._heap if item[-1].locator in self.held)
        self._recalled.extend(self._left_out)
        self._recalled.extend(Entry(link, self.held[link]) for link in missing if link not in self._found)
        self._found.update(entry.locator for entry in self._recalled)
        self._heap, self._left_out = waiting, []
        heapq.heapify(self._heap)
        return bool(self._recalled)

    def hold(self, name: str, depth: int) -> None:
        """Make locations deeper than `depth` + 1 wait until `release`: something else may still find them."""
        self._in_flight[name] = depth

    def release(self, name: str) -> None:
        self._in_flight.pop(name, None)

    def finish(self, entry: Entry, outcome: Outcome | None) -> None:
        """`outcome` is None for a location that still waits for the outcome of another one."""
        self.release(entry.locator)
        path = without_query(entry.locator)
        if outcome in PAGE_OUTCOMES:
            self.pages += 1
            self._fruitless.pop(path, None)
        elif outcome is Outcome.DUPLICATE and path != entry.locator:
            self._fruitless[path] += 1

    @property
    def is_full(self) -> bool:
        return self.pages >= self._max_pages or self._visits >= self._max_visits

    @property
    def queued(self) -> int:
        return len(self._heap) + len(self._recalled)

    def drain(self) -> None:
        """Refuse everything that is left."""
        while self._heap:
            entry = heapq.heappop(self._heap)[-1]
            if self.pages >= self._max_pages:
                self._refuse(entry, f"the source takes no new page beyond {self._max_pages}")
            else:
                self._refuse(entry, f"the collection makes {self._max_visits} visits at most")

    def _begin(self, entry: Entry) -> Entry:
        self._in_flight[entry.locator] = entry.depth
        self._visits += 1
        return entry

    def _push(self, entry: Entry) -> None:
        self._sequence += 1
        detour = self._variants[without_query(entry.locator)] // _VARIANTS_PER_LEVEL
        heapq.heappush(self._heap, (entry.depth + detour, self._sequence, entry))

    def _refuse(self, entry: Entry, reason: str) -> None:
        if entry.locator in self.held:
            self._left_out.append(entry)
            return
        self._refusals += 1
        self.refused.append(Refusal(entry, Outcome.CAPPED, reason))
