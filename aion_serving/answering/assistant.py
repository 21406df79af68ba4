"""Search, answer and explain over the current release. A new release is taken up between two requests."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from aion_assets.core.answer.citations import located_hits, places_in
from aion_assets.core.answer.engine import Rival, Task
from aion_assets.core.answer.extractive import Answer
from aion_assets.core.answer.follow_up import in_context
from aion_assets.core.answer.suggestions import suggest
from aion_assets.core.answer.swapping import Swaps
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import LakeError
from aion_assets.core.home import Home
from aion_assets.core.lake.store import Lake
from aion_assets.core.language.question import Question
from aion_assets.core.record.answers import (
    AnswerRecord,
    Asked,
    State,
    close_answer,
    end_abandoned_answers,
    end_answer,
    move_answer,
    open_answer,
)
from aion_assets.core.record.conversations import questions_before
from aion_assets.core.record.suggestions import show_suggestions
from aion_assets.core.release.known import Known
from aion_assets.core.search.hits import Hit, Retrieval
from aion_assets.core.settings import Settings
from aion_assets.core.sources.tombstones import Hidden
from aion_assets.core.trust.why import why
from aion_serving.answering.adapter_keeper import AdapterKeeper
from aion_serving.answering.addresses import Addresses
from aion_serving.answering.chain import Chain, chain_for, keepers_for
from aion_serving.answering.curated import Curated
from aion_serving.answering.rival import Rivals
from aion_serving.answering.served_release import OpenedRelease, ServedRelease
from aion_serving.answering.telemetry import Telemetry

# An answer that is open for longer is of a process that died.
_LONGEST_ANSWER = timedelta(minutes=5)
_T = TypeVar("_T")


def _never() -> bool:
    return False


@dataclass(slots=True)
class Opened:
    """An answer that is recorded as open. `question` is what is searched for; `stopped`: somebody asked to end it.
    `tau`: a threshold of its own.
    """

    answer_id: str
    release: OpenedRelease
    question: Question
    channel: str
    stopped: Callable[[], bool] = _never
    tau: float | None = None
    without_own_models: bool = False


class Assistant:
    """Safe to share between threads. Opens nothing before the first call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = Home(settings)
        self.telemetry = Telemetry(self.home)
        self.served = ServedRelease(self.home, lambda: self.known.release_id(), self._keep_adapter)

    @property
    def lake(self) -> Lake:
        return self.home.lake

    @property
    def database(self) -> Database:
        return self.home.database

    @cached_property
    def chain(self) -> Chain:
        return chain_for(self.settings, Curated(self.home))

    @cached_property
    def adapter_keepers(self) -> Sequence[AdapterKeeper]:
        return keepers_for(self.settings)

    def keep_adapter(self) -> None:
        """Have the model servers write with the adapter of the release that serves, also after they were restarted."""
        if self.served.opened is not None:
            self._keep_adapter(self.served.opened)

    def _keep_adapter(self, release: OpenedRelease) -> None:
        for keeper in self.adapter_keepers:
            keeper.keep(self.home, release.models)

    @cached_property
    def rivals(self) -> Rivals:
        return Rivals(self.home)

    @cached_property
    def known(self) -> Known:
        return Known(self.database, self.settings.tenant_id)

    @property
    def opened_release_id(self) -> str:
        """Id of the release that serves; "" before the first is opened."""
        return self.served.opened_release_id

    @cached_property
    def addresses(self) -> Addresses:
        return Addresses(self.database, self.settings)

    @property
    def notice(self) -> str:
        """Why an older release answers; "" where the current one does."""
        return self.served.notice

    def warm_up(self) -> None:
        """Load everything that the first question needs.

        Raises AionError: no question can be answered yet; the message says why.
        """
        end_abandoned_answers(self.database, self.home.tenant_id, _LONGEST_ANSWER)
        self.served.warm(self.release())

    def search(self, query: str, k: int) -> list[Hit]:
        """The best passage of each of the k best documents.

        Raises NoReleaseError: nothing has been released yet.
        """
        question, hidden = Question.read(query), self.known.hidden()

        def find(release: OpenedRelease) -> list[Hit]:
            retriever = release.retriever
            hits = retriever.search(question, k, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids)
            return located_hits(self.lake, question, hits, retriever.weights(question.language)) if hits else []

        return self._query(self.release(), find)[1]

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
                record = self._closed(opened, task, piece, _latency(task, started))
        except BaseException as error:
            end_answer(self.database, opened.answer_id, State.FAILED, type(error).__name__)
            self.telemetry.failed()
            raise
        yield record  # a reader who leaves now makes no failure of it

    def give_up(self, opened: "Opened") -> None:
        """Close an answer that nobody will write."""
        end_answer(self.database, opened.answer_id, State.CANCELLED, "The same request was answered already.")

    def _closed(self, opened: "Opened", task: Task, answer: Answer, latency_ms: dict[str, float]) -> AnswerRecord:
        record = close_answer(self.database, opened.answer_id, task.retrieval, answer, latency_ms)
        self.telemetry.answered(record)
        is_read_once = opened.channel == "cli"
        offered = [] if is_read_once else suggest(task.retrieval, answer.citations, self.settings.actions)
        shown = show_suggestions(self.home, opened.answer_id, offered)
        return replace(record, suggestions=shown, notice=opened.release.instead_of, expired=answer.expired)

    def _task(self, opened: "Opened") -> Task:
        question, hidden = opened.question, self.known.hidden()
        release, retrieval = self._query(
            opened.release,
            lambda over: over.retriever.retrieve(
                question, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids
            ),
        )
        if release is not opened.release:
            opened.release = release
            move_answer(self.database, opened.answer_id, release.release_id, release.prompt_version)
        tau = self.settings.tau_confidence if opened.tau is None else opened.tau
        swaps = Swaps(0.0 if opened.channel == "cli" else self.settings.swap_share)  # nobody clicks in a terminal
        options = (places_in(self.lake), opened.stopped, not opened.without_own_models, swaps)
        return Task(retrieval, release.calibration, tau, *options, self._rival(opened, hidden))

    def _rival(self, opened: "Opened", hidden: Hidden) -> Rival | None:
        release, share = opened.release, 0.0 if opened.channel == "cli" else self.settings.interleave_share
        if (drawn := self.rivals.drawn(release, share)) is None:
            return None
        rival, retriever = drawn

        def retrieve() -> Retrieval:
            with self.lake.reading(release.table):
                return retriever.retrieve(opened.question, hidden_docs=hidden.doc_ids, hidden_sources=hidden.source_ids)

        return Rival(rival, retrieve)

    def why(self, answer_id: str) -> dict[str, Any]:
        """Raises AnswerNotFoundError: no answer has this id."""
        return why(self.home, answer_id)

    def release(self) -> OpenedRelease:
        """The release that serves. While one thread opens a new one, others use the one before.

        Raises NoReleaseError: nothing has been released yet. EmbedderError, LakeError, ReleaseError: the current
        release cannot be opened, and none stands in.
        """
        return self.served.get()

    def _query(self, release: OpenedRelease, ask: Callable[[OpenedRelease], _T]) -> tuple[OpenedRelease, _T]:
        """What a query finds, and over which release: another one where this one turns out to be damaged."""
        while True:
            try:
                with self.lake.reading(release.table):
                    return release, ask(release)
            except LakeError as error:
                release = self.served.instead_of(release, error)


def _latency(task: Task, started: float) -> dict[str, float]:
    """In milliseconds, by layer."""
    total_ms, retrieval_ms = 1000 * (time.monotonic() - started), 1000 * task.retrieval.seconds
    return {"retrieval": retrieval_ms, "engine": total_ms - retrieval_ms, "total": total_ms}
