"""Which release serves: the current one, or the newest that can be read where that one cannot.

A release is opened between two requests. One that cannot be read, as its table is gone, a file of it damaged or its
calibration unreadable, is left out for a while, and the newest before it that can be read stands in and says so.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.errors import AdaptedModelError, AionError, DiskFullError, LakeError, NoReleaseError, ReleaseError
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.release import releases
from aion_assets.core.release.encoders import Encoders, encoders_of
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.search.retriever import Retriever

# A release that cannot be opened or read is tried again after this pause. Until then the one before serves.
_RETRY_S = 10.0
# Questions put to a release before it serves, so that a person's first question need not wait for loading.
_WARM_UP = "Onde está a resposta?"
# So many releases are tried. Older ones have no index of their own any more (core/release/retire.py).
_MOST_TRIED = 12

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenedRelease:
    """One release, ready to search. A request keeps the one that it began with.

    `instead_of` says which release cannot be read, and why; "" where this one is the current one.
    """

    release_id: str
    table: str
    retriever: Retriever
    calibration: Calibration
    models: ModelManifest
    encoders: tuple[str, str]  # key of its embedding models
    instead_of: str = ""

    @property
    def prompt_version(self) -> str:
        return self.models.prompt


class ServedRelease:
    """Safe to share between threads. Opens nothing before the first call. `current`: reads the id of the current
    release, or None. `prepare` gets a release before it takes the place of another.
    """

    def __init__(self, home: Home, current: Callable[[], str | None], prepare: Callable[[OpenedRelease], None]) -> None:
        self._home = home
        self._current = current
        self._prepare = prepare
        self._opened: OpenedRelease | None = None
        self._opening = threading.Lock()
        # Release → why it cannot be read, and when it is tried again.
        self._unreadable: dict[str, tuple[AionError, float]] = {}

    @property
    def opened_release_id(self) -> str:
        """Id of the release that serves; "" before the first is opened."""
        return self._opened.release_id if self._opened else ""

    @property
    def notice(self) -> str:
        """Why an older release serves; "" where the current one does."""
        return self._opened.instead_of if self._opened else ""

    @property
    def opened(self) -> OpenedRelease | None:
        return self._opened

    def get(self) -> OpenedRelease:
        """The current release, opened. While one thread opens a new one, others use the one before.

        Raises NoReleaseError: nothing has been released yet. EmbedderError, LakeError, ReleaseError: the current
        release cannot be opened, and none stands in.
        """
        current = self._current()
        if current is None:
            raise NoReleaseError(
                "Nothing has been released yet.", "Add a source, approve its documents and run 'aion run'."
            )
        opened = self._opened
        if opened is None:
            with self._opening:
                self._opened = self._opened or self._first(current)
                return self._opened
        if opened.release_id == current and opened.instead_of:  # somebody rolled back to it
            opened = self._opened = replace(opened, instead_of="")
        if opened.release_id == current or not self._worth_trying(current):
            return opened
        if not self._opening.acquire(blocking=False):
            return opened
        try:
            fresh = self._open(current)
            self.warm(fresh)
            self._prepare(fresh)
            opened = self._opened = fresh
            self._unreadable.pop(current, None)
        except AionError as error:
            self._note(current, error)
            opened = self._opened = replace(opened, instead_of=_says(current, error))
        finally:
            self._opening.release()
        return opened

    def instead_of(self, release: OpenedRelease, error: LakeError) -> OpenedRelease:
        """What stands in for a release of which a query found that it cannot be read. Raises `error`: nothing does."""
        if isinstance(error, DiskFullError):
            raise error
        with self._opening:
            if self._opened is None or self._opened.release_id == release.release_id:
                self._note(release.release_id, error)
                self._opened = None
                self._opened = self._first(self._current() or release.release_id)
            return self._opened

    def warm(self, release: OpenedRelease) -> None:
        with self._home.lake.reading(release.table):
            release.retriever.keep_in_memory()
            for language in (PORTUGUESE, ENGLISH):
                release.retriever.weights(language)
            release.retriever.retrieve(_WARM_UP)

    def _first(self, current: str) -> OpenedRelease:
        """The current release, or the newest that can be opened where it cannot be read."""
        if self._worth_trying(current):
            try:
                return self._open(current)
            except (AdaptedModelError, LakeError, ReleaseError) as error:
                self._note(current, error)
        wrong, _ = self._unreadable[current]
        for row in releases.list_releases(self._home.database, self._home.tenant_id, _MOST_TRIED):
            if not self._worth_trying(row.release_id) or row.release_id == current:
                continue
            try:
                opened = self._open(row.release_id)
                self.warm(opened)  # reads all of it, as far as it fits in memory
            except AionError as error:
                self._note(row.release_id, error)
                continue
            return replace(opened, instead_of=_says(current, wrong))
        raise wrong

    def _note(self, release_id: str, error: AionError) -> None:
        self._unreadable[release_id] = (error, time.monotonic() + _RETRY_S)
        _log.error("Release %s cannot serve: %s", release_id[:16], error)

    def _worth_trying(self, release_id: str) -> bool:
        noted = self._unreadable.get(release_id)
        return noted is None or time.monotonic() >= noted[1]

    def _open(self, release_id: str) -> OpenedRelease:
        release = releases.read_release(self._home.database, release_id)
        try:
            ranker = Ranker.from_json(release.models.ranker)
            calibration = Calibration.from_json(release.models.calibration)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ReleaseError(
                f"The models of release {release_id[:16]} cannot be read: they are damaged or of another AION.",
                "Run 'aion run' to make a new one.",
            ) from error
        encoders = encoders_of(self._home, release.models)
        embedder = self._embedder_of(encoders)
        table = self._home.lake.table_at(release.table, release.tag)
        retriever = Retriever(table, embedder, self._home.tenant_id, ranker)
        _log.info("Serving release %s with %s passages.", release_id[:16], release.index["rows"])
        return OpenedRelease(release_id, release.table, retriever, calibration, release.models, encoders.key)

    def _embedder_of(self, encoders: Encoders) -> QueryEmbedder:
        """That of the release before if it is the same."""
        if self._opened is not None and self._opened.encoders == encoders.key:
            return self._opened.retriever.embedder
        from trainer.embedder import load_encoders

        return load_encoders(encoders)


def _says(release_id: str, error: AionError) -> str:
    return f"The newest release {release_id[:12]} cannot be read, so an older one answers. {error.what}"
