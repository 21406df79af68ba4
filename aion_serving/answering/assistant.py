"""Search, answer and explain over the current release. A new release is taken up between two requests."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from aion_assets.core.answer.citations import located_hits, places_in
from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.engine import Task
from aion_assets.core.answer.extractive import Answer
from aion_assets.core.answer.follow_up import in_context
from aion_assets.core.answer.suggestions import suggest
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import AionError, NoReleaseError, ReleaseError
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.index.embedding_model import find_recorded_model
from aion_assets.core.lake.store import Lake
from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.language.question import Question
from aion_assets.core.record.answers import (
    AnswerRecord,
    Asked,
    State,
    close_answer,
    end_abandoned_answers,
    end_answer,
    open_answer,
)
from aion_assets.core.record.conversations import questions_before
from aion_assets.core.record.suggestions import show_suggestions
from aion_assets.core.release import releases
from aion_assets.core.release.releases import Release
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.settings import Settings
from aion_assets.core.trust.why import why
from aion_serving.answering.chain import Chain, chain_for
from aion_serving.answering.telemetry import Telemetry
from aion_serving.answering.tombstones import Tombstones

# A release that cannot be opened is tried again after this pause. Until then the one before serves.
_RETRY_S = 10.0
# An answer that is open for longer is of a process that died.
_LONGEST_ANSWER = timedelta(minutes=5)
# Questions put to a release before it serves, so that a person's first question need not wait for loading.
_WARM_UP = "Onde está a resposta?"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenedRelease:
    """One release, ready to search. A request keeps the one that it began with."""

    release_id: str
    table: str
    retriever: Retriever
    calibration: Calibration
    prompt_version: str


def _never() -> bool:
    return False


@dataclass(slots=True)
class Opened:
    """An answer that is recorded as open. `question` is what is searched for; `stopped`: somebody asked to end it."""

    answer_id: str
    release: OpenedRelease
    question: Question
    channel: str
    stopped: Callable[[], bool] = _never


class Assistant:
    """Safe to share between threads. Opens nothing before the first call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = Home(settings)
        self.telemetry = Telemetry(self.home)
        self._opened: OpenedRelease | None = None
        self._opening = threading.Lock()
        self._retry_at = 0.0
        self._unusable = ""

    @property
    def lake(self) -> Lake:
        return self.home.lake

    @property
    def database(self) -> Database:
        return self.home.database

    @cached_property
    def chain(self) -> Chain:
        return chain_for(self.settings)

    @cached_property
    def tombstones(self) -> Tombstones:
        return Tombstones(self.database, self.settings.tenant_id)

    @property
    def opened_release_id(self) -> str:
        """Id of the release that serves; "" before the first is opened."""
        return self._opened.release_id if self._opened else ""

    def warm_up(self) -> None:
        """Load everything that the first question needs.

        Raises AionError: no question can be answered yet; the message says why.
        """
        end_abandoned_answers(self.database, self.home.tenant_id, _LONGEST_ANSWER)
        self._warm(self.release())

    def search(self, query: str, k: int) -> list[Hit]:
        """The best passage of each of the k best documents.

        Raises NoReleaseError: nothing has been released yet.
        """
        release = self.release()
        hidden = self.tombstones.hidden()
        question, retriever = Question.read(query), release.retriever
        with self.lake.reading(release.table):
            hits = retriever.search(question, k, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids)
            weights = retriever.weights(question.language)
            return located_hits(self.lake, question, hits, weights) if hits else []

    def ask(
        self, question: str, *, channel: str = "api", conversation_id: str = "", before: Sequence[str] = ()
    ) -> AnswerRecord:
        """Answer from the current release and record the answer, which may be an abstention.

        Raises NoReleaseError: nothing has been released yet.
        """
        *_, record = self.write(self.open(question, channel=channel, conversation_id=conversation_id, before=before))
        assert isinstance(record, AnswerRecord)
        return record

    def open(
        self, question: str, *, channel: str = "api", conversation_id: str = "", before: Sequence[str] = ()
    ) -> "Opened":
        """Open an answer, to be written or given up. `before`: earlier questions, the newest first, where the caller
        keeps the conversation.

        Raises NoReleaseError: nothing has been released yet.
        """
        release = self.release()
        read = Question.read(question)
        before = before or questions_before(self.database, self.home.tenant_id, conversation_id)
        stamp = (release.release_id, release.prompt_version, channel, conversation_id, len(before) + 1)
        answer_id = open_answer(self.database, self.home.tenant_id, Asked(read.text, *stamp))
        return Opened(answer_id, release, in_context(read, before), channel)

    def write(self, opened: "Opened") -> Iterator[str | AnswerRecord]:
        """Pieces of the answer's text as they come, then its record."""
        started = time.monotonic()
        try:
            task = self._task(opened)
            for piece in self.chain.write(task):
                if isinstance(piece, str):
                    yield piece
                    continue
                record = self._closed(opened.answer_id, task, piece, _latency(task, started), opened.channel)
        except BaseException as error:
            end_answer(self.database, opened.answer_id, State.FAILED, type(error).__name__)
            self.telemetry.failed()
            raise
        yield record  # a reader who leaves now makes no failure of it

    def give_up(self, opened: "Opened") -> None:
        """Close an answer that nobody will write."""
        end_answer(self.database, opened.answer_id, State.CANCELLED, "The same request was answered already.")

    def _closed(
        self, answer_id: str, task: Task, answer: Answer, latency_ms: dict[str, float], channel: str
    ) -> AnswerRecord:
        record = close_answer(self.database, answer_id, task.retrieval, answer, latency_ms)
        self.telemetry.answered(record)
        offered = suggest(task.retrieval, answer.citations, self.settings.actions) if channel != "cli" else []
        return replace(record, suggestions=show_suggestions(self.home, answer_id, offered))

    def _task(self, opened: "Opened") -> Task:
        release, question, hidden = opened.release, opened.question, self.tombstones.hidden()
        with self.lake.reading(release.table):
            retrieval = release.retriever.retrieve(
                question, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids
            )
        tau, locate = self.settings.tau_confidence, places_in(self.lake)
        return Task(retrieval, release.calibration, tau, locate, opened.stopped)

    def why(self, answer_id: str) -> dict[str, Any]:
        """Raises AnswerNotFoundError: no answer has this id."""
        return why(self.home, answer_id)

    def release(self) -> OpenedRelease:
        """The current release, opened. While one thread opens a new one, others use the one before.

        Raises NoReleaseError: nothing has been released yet. EmbedderError, LakeError: the first release cannot be
        opened.
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
        release = releases.read_release(self.database, release_id)
        try:
            ranker = Ranker.from_json(release.models.ranker)
            calibration = Calibration.from_json(release.models.calibration)
        except (KeyError, TypeError, ValueError) as error:
            raise ReleaseError(
                f"Release {release_id[:16]} was made by another version of AION and cannot be read.",
                "Run 'aion run' to make a new one.",
            ) from error
        embedder = self._embedder_of(release)
        retriever = Retriever(self.lake.table_at(release.table, release.tag), embedder, self.home.tenant_id, ranker)
        _log.info("Serving release %s with %s passages.", release_id[:16], release.index["rows"])
        return OpenedRelease(release_id, release.table, retriever, calibration, release.models.prompt)

    def _embedder_of(self, release: Release) -> QueryEmbedder:
        """The one that the release names, whatever the settings say by now; kept from the release before if it is
        the same."""
        model = find_recorded_model(release.models.passage_embedder, self.settings.embed_model, self.settings.home)
        if self._opened is not None and self._opened.retriever.embedder.embedder_id == model.embedder_id:
            return self._opened.retriever.embedder
        from trainer.embedder import Embedder

        return Embedder(model)

    def _warm(self, release: OpenedRelease) -> None:
        with self.lake.reading(release.table):
            release.retriever.keep_in_memory()
            for language in (PORTUGUESE, ENGLISH):
                release.retriever.weights(language)
            release.retriever.retrieve(_WARM_UP)


def _latency(task: Task, started: float) -> dict[str, float]:
    """In milliseconds, by layer."""
    total_ms, retrieval_ms = 1000 * (time.monotonic() - started), 1000 * task.retrieval.seconds
    return {"retrieval": retrieval_ms, "engine": total_ms - retrieval_ms, "total": total_ms}
