"""What every kind of source offers: the class that it is, and what it tells of a collection."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from aion_assets.core.records import CollectedPage, KnownPage, Outcome, Source
from aion_assets.core.settings import Settings


@dataclass(slots=True)
class Progress:
    """How far a collection is; one object, updated from call to call. `queued` grows while links are being found."""

    done: int = 0
    queued: int = 0
    stored: int = 0
    current: str = ""
    bytes: int = 0


@dataclass(slots=True)
class CollectionReport:
    """What one call of `collect` did.

    `complete` says that the source was enumerated wholly, so that a known location which was not visited is gone.
    `failure` says in one sentence why it is not complete, "" when it is; `unreachable` is true when that is because the
    place where the source begins could not be read. `unread` are the locators of the folders that could not be listed,
    where they alone are why: then a known location that was not visited is gone, too, unless it lies in one of them.
    `resumed` counts the locations that were skipped because a killed attempt of the same collection had already visited
    them.
    """

    collection_id: str
    counts: Counter[Outcome] = field(default_factory=Counter)
    complete: bool = False
    failure: str = ""
    unreachable: bool = False
    unread: list[str] = field(default_factory=list)
    resumed: int = 0
    seconds: float = 0.0
    fetched_bytes: int = 0
    off_domain_links: int = 0


@dataclass(frozen=True, slots=True)
class CollectionJob:
    """One collection of one source. `known` maps locators to what earlier collections know.

    A known page that carries this `collection_id` was visited by a killed attempt of this same collection.
    """

    source: Source
    settings: Settings
    known: Mapping[str, KnownPage]
    collection_id: str


Emit = Callable[[CollectedPage], None]
ReportProgress = Callable[[Progress], None]


@runtime_checkable
class Connector(Protocol):
    """One kind of source. Instances hold no state between two collections."""

    kind: str

    @classmethod
    def accepts(cls, address: str) -> bool:
        """Whether `address` is one of this kind.

        Raises SourceError: the address is plainly meant for this kind, yet cannot be collected; says why.
        """
        ...

    @classmethod
    def normal_address(cls, address: str) -> str:
        """The address to keep: one spelling for each place, and the same from every working directory.

        Raises SourceError: it cannot be a source of this kind.
        """
        ...

    def collect(self, job: CollectionJob, emit: Emit, progress: ReportProgress) -> CollectionReport:
        """Visit every location of the source and call `emit` once for each.

        A page that a killed attempt of this collection visited is neither visited nor emitted again, but its `links`
        are followed. Where the collection cannot be complete, a known location can vanish all the same: it is asked
        for by itself and emitted as GONE, or the report tells where it may still be (`unread`). Exceptions of `emit`
        and `progress` end the collection and reach the caller.

        Raises FetchError: it broke off; a later call with the same id goes on from what was emitted.
        """
        ...


def vanished(known: Mapping[str, KnownPage], seen: Collection[str], report: CollectionReport) -> set[str]:
    """Known locators that this collection proved to be gone: `seen` are those for which `emit` was called."""
    if report.unreachable or not (report.complete or report.unread):
        return set()
    seen_now = set(seen)
    unread = tuple(f"{folder}/" for folder in report.unread)
    return {
        locator
        for locator, page in known.items()
        if locator not in seen_now and page.collection_id != report.collection_id and not locator.startswith(unread)
    }
