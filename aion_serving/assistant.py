"""Searches, answers and explains over the current release; notices a new one and takes it up between two requests."""

import logging
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aion_assets.core import lineage, releases
from aion_assets.core.answer.extractive import answer_question
from aion_assets.core.answers import AnswerRecord, record_answer
from aion_assets.core.citations import locate_hits, locate_quotes
from aion_assets.core.confidence import Calibration
from aion_assets.core.database import Database, open_database
from aion_assets.core.embedding_model import find_embedding_model
from aion_assets.core.errors import AionError, EmbedderError, NoReleaseError, ReleaseError
from aion_assets.core.lake import Lake
from aion_assets.core.search.fusion import FusionConfig
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.language import ENGLISH, PORTUGUESE, clean_question, question_language
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.settings import Settings
from aion_serving.tombstones import Tombstones

if TYPE_CHECKING:
    from trainer.embedder import Embedder

# A release that cannot be opened is tried again after this long; until then the one before serves.
_RETRY_S = 10.0
# Asked of a release before it serves, so that nothing is left to be read by a person's first question.
_WARM_UP = "Onde está a resposta?"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenedRelease:
    """One release, ready to search. A request holds on to the one that it began with."""

    release_id: str
    table: str
    retriever: Retriever
    calibration: Calibration


class Assistant:
    """Safe to share between threads. Opens nothing before the first call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(settings.lake_uri)
        self._opened: OpenedRelease | None = None
        self._opening = threading.Lock()
        self._embedder: Embedder | None = None
        self._loading = threading.Lock()
        self._retry_at = 0.0
        self._unusable = ""

    @cached_property
    def database(self) -> Database:
        return open_database(self.settings)

    @cached_property
    def tombstones(self) -> Tombstones:
        return Tombstones(self.database, self.settings.tenant_id)

    @property
    def embedder(self) -> "Embedder":
        """Loaded once, whichever threads ask first."""
        with self._loading:
            if self._embedder is None:
                from trainer.embedder import Embedder

                self._embedder = Embedder(find_embedding_model(self.settings.embed_model))
            return self._embedder

    @property
    def opened_release_id(self) -> str:
        """Of the release that answers now; "" before the first is opened."""
        return self._opened.release_id if self._opened else ""

    def warm_up(self) -> None:
        """Load what the first question would have to wait for.

        Raises AionError: why no question can be answered yet.
        """
        self.embedder.embed_query(_WARM_UP)
        self._warm(self.release())

    def search(self, query: str, k: int) -> list[Hit]:
        """The best passage of each of the k best documents.

        Raises NoReleaseError: nothing has been released yet.
        """
        release = self.release()
        hidden = self.tombstones.hidden()
        question, retriever = clean_question(query), release.retriever
        with self.lake.reading(release.table):
            hits = retriever.search(question, k, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids)
            if hits:
                locate_hits(self.lake, question, hits, retriever.weights(question_language(question)))
        return hits

    def ask(self, question: str) -> AnswerRecord:
        """Answer from the current release and record it; an abstention is an answer, too.

        Raises NoReleaseError: nothing has been released yet.
        """
        release = self.release()
        started = time.monotonic()
        hidden = self.tombstones.hidden()
        with self.lake.reading(release.table):
            retrieval = release.retriever.retrieve(
                question, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids
            )
        answer = answer_question(retrieval, calibration=release.calibration, tau=self.settings.tau_confidence)
        hits = {hit.chunk_id: hit for hit in retrieval.hits}
        locate_quotes(self.lake, [*answer.citations, *answer.nearest], hits)
        latency_ms = 1000 * (time.monotonic() - started)
        return record_answer(self.database, self.settings.tenant_id, release.release_id, retrieval, answer, latency_ms)

    def why(self, answer_id: str) -> dict[str, Any]:
        """Raises AnswerNotFoundError: no answer has this id."""
        return lineage.why(self.lake, self.database, self.settings, answer_id)

    def release(self) -> OpenedRelease:
        """The current release, opened. While a new one is being opened, other threads go on with the one before.

        Raises NoReleaseError: nothing has been released yet. EmbedderError, LakeError: the first cannot be opened.
        """
        current = releases.current_release_id(self.database, self.settings.tenant_id)
        if current is None:
            raise NoReleaseError(
                "Nothing has been released yet.", "Add a source, approve its documents and run 'aion run'."
            )
        opened = self._opened
        if opened is None:
            with self._opening:
                self._opened = self._opened or self._open(current)
                return self._opened
        if opened.release_id == current or not self._worth_trying(current):
            return opened
        if not self._opening.acquire(blocking=False):
            return opened
        try:
            fresh = self._open(current)
            self._warm(fresh)
            opened = self._opened = fresh
        except AionError as error:
            self._unusable, self._retry_at = current, time.monotonic() + _RETRY_S
            _log.error("Release %s cannot serve, %s goes on: %s", current[:16], opened.release_id[:16], error)
        finally:
            self._opening.release()
        return opened

    def _worth_trying(self, release_id: str) -> bool:
        return release_id != self._unusable or time.monotonic() >= self._retry_at

    def _open(self, release_id: str) -> OpenedRelease:
        manifest = releases.read_release(self.database, release_id)
        model = find_embedding_model(self.settings.embed_model)
        if model.embedder_id != manifest.embedder["id"]:
            raise EmbedderError(
                f"Release {release_id[:16]} was made with embedder {manifest.embedder['id']}, "
                f"but AION_EMBED_MODEL means {model.embedder_id}.",
                "Run 'aion run' to embed the knowledge base with it, or set AION_EMBED_MODEL back.",
            )
        name = manifest.index["table"]
        try:
            fusion, calibration = FusionConfig.from_json(manifest.fusion), Calibration.from_json(manifest.calibration)
        except (KeyError, TypeError, ValueError) as error:
            raise ReleaseError(
                f"Release {release_id[:16]} was made by another version of AION and cannot be read.",
                "Run 'aion run' to make a new one.",
            ) from error
        retriever = Retriever(self.lake.table_at(name, manifest.tag), self.embedder, self.settings.tenant_id, fusion)
        _log.info("Serving release %s with %s passages.", release_id[:16], manifest.index["rows"])
        return OpenedRelease(release_id, name, retriever, calibration)

    def _warm(self, release: OpenedRelease) -> None:
        with self.lake.reading(release.table):
            release.retriever.keep_in_memory()
            for language in (PORTUGUESE, ENGLISH):
                release.retriever.weights(language)
            release.retriever.retrieve(_WARM_UP)
