"""The interface of a source kind: the class to write, and what it reports of a collection."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from aion_assets.core.records import CollectedPage, KnownPage, Outcome, Source
from aion_assets.core.settings import Settings


@dataclass(slots=True)
class Progress:
    """How far a collection is. One object is updated from call to call. `queued` grows while links are being found."""

    done: int = 0
    queued: int = 0
    stored: int = 0
    current: str = ""
    bytes: int = 0


@dataclass(slots=True)
class CollectionReport:
    """What one call of `collect` did.

    `complete`: the source was enumerated wholly, so a known location that was not visited is gone. `failure`: why it is
    not complete, in one sentence; "" when it is. `unreachable`: the place where the source begins could not be read.
    `unread`: locators of the folders that could not be listed, set where nothing else failed. A known location outside
    them that was not visited is then gone, too. `resumed`: how many locations were skipped because a killed attempt of
    the same collection had already visited them.
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
    """One kind of source. Instances keep no state from one collection to the next."""

    kind: str

    @classmethod
    def accepts(cls, address: str) -> bool:
        """Whether `address` is one of this kind.

        Raises SourceError: the address is meant for this kind but cannot be collected. The message says why.
        """
        ...

    @classmethod
    def normal_address(cls, address: str) -> str:
        """The address to store: one spelling for each place, whatever the working directory.

        Raises SourceError: the address cannot be a source of this kind.
        """
        ...

    def collect(self, job: CollectionJob, emit: Emit, progress: ReportProgress) -> CollectionReport:
        """Visit every location of the source and call `emit` once for each.

        A page that a killed attempt of this collection visited is neither visited nor emitted again, but its `links`
        are followed. Where the collection cannot be complete, a known location can vanish all the same: it is asked
        for by itself and emitted as GONE, or the report tells where it may still be (`unread`). Exceptions of `emit`
        and `progress` end the collection and reach the caller.

        Raises FetchError: the collection broke off. A later call with the same id resumes after what was emitted.
        """
        ...


def vanished(known: Mapping[str, KnownPage], seen: Collection[str], report: CollectionReport) -> set[str]:
    """Known locators that this collection proved gone. `seen`: those for which `emit` was called."""
    if report.unreachable or not (report.complete or report.unread):
        return set()
    seen_now = set(seen)
    unread = tuple(f"{folder}/" for folder in report.unread)
    return {
        locator
        for locator, page in known.items()
        if locator not in seen_now and page.collection_id != report.collection_id and not locator.startswith(unread)
    }
