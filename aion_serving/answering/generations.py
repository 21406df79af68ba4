"""Answers that are written in threads of their own and read from the database, by however many readers.

Who reads does not matter to an answer: it is finished and stored when its reader leaves, and ends early only when
somebody asks for that.
"""

import asyncio
import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from aion_assets.core.errors import AionError
from aion_assets.core.record.answers import AnswerRecord, read_answer
from aion_assets.core.record.streams import (
    Kind,
    StreamEvent,
    append_event,
    end_dead_streams,
    end_if_dead,
    keep_alive,
    open_stream,
    read_events,
    request_stop,
    require_stream,
    stops_among,
    stream_of_request,
)
from aion_serving.answering.addresses import Addresses
from aion_serving.answering.assistant import Assistant, Opened

# Answers written at once by this process. Further ones wait, and their readers with them.
_MOST_AT_ONCE = 16
# A stop that another process recorded is seen after at most so long.
_LOOK_EVERY_S = 0.3
_ALIVE_EVERY_S = 3.0
# Readers of what another process writes look so often.
_READ_EVERY_S = 0.4
_REMEMBERED = 256

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    stop: threading.Event = field(default_factory=threading.Event)


class Generations:
    """The streams of one server process. Opens nothing before the first start."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._writers = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="answer")
        self._running: dict[str, _Running] = {}
        self._finished: OrderedDict[str, AnswerRecord] = OrderedDict()
        self._readers: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = {}
        self._changing = threading.Lock()
        self._watching = False
        self._closed = threading.Event()

    def close(self) -> None:
        """Stop what this process writes; every stream gets its last event."""
        with self._changing:
            running = [*self._running.values()]
        for one in running:
            one.stop.set()
        self._writers.shutdown(wait=True, cancel_futures=False)
        self._closed.set()

    def start(
        self,
        question: str,
        *,
        channel: str,
        request_id: str = "",
        conversation_id: str = "",
        before: Sequence[str] = (),
    ) -> str:
        """Begin an answer; returns the id of its stream, which is that of the answer.

        A start that is repeated with the same request id returns the stream of the first. Raises NoReleaseError:
        nothing has been released yet.
        """
        database, tenant_id = self._assistant.database, self._assistant.home.tenant_id
        if (found := stream_of_request(database, tenant_id, request_id)) is not None:
            return found
        running = _Running()
        opened = self._assistant.open(question, channel=channel, conversation_id=conversation_id, before=before)
        opened.stopped = running.stop.is_set
        stream_id = open_stream(database, tenant_id, opened.answer_id, request_id)
        if stream_id != opened.answer_id:  # the same request came twice at the same time
            self._assistant.give_up(opened)
            return stream_id
        with self._changing:
            self._running[stream_id] = running
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="streams", daemon=True).start()
        self._writers.submit(self._write, opened)
        return stream_id

    def stop(self, stream_id: str) -> bool:
        """End an answer early, whichever process writes it. False: it has ended already.

        Raises AnswerNotFoundError: there is no such stream.
        """
        asked = request_stop(self._assistant.database, self._assistant.home.tenant_id, stream_id)
        if (running := self._running.get(stream_id)) is not None:
            running.stop.set()
        return asked

    def require(self, stream_id: str) -> None:
        """Raises AnswerNotFoundError: there is no such stream."""
        require_stream(self._assistant.database, self._assistant.home.tenant_id, stream_id)

    async def read(self, stream_id: str, after: int = 0) -> AsyncIterator[StreamEvent | None]:
        """Events behind number `after`, until the last; None now and then while nothing comes."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()
        reader = (loop, news)
        with self._changing:
            self._readers.setdefault(stream_id, set()).add(reader)
        try:
            while True:
                news.clear()
                events = await asyncio.to_thread(self._events, stream_id, after)
                for event in events:
                    yield event
                    if event.is_last:
                        return
                    after = event.number
                if not events:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(news.wait(), _READ_EVERY_S)
                    yield None
        finally:
            with self._changing:
                left = self._readers.get(stream_id, set())
                left.discard(reader)
                if not left:
                    self._readers.pop(stream_id, None)

    @property
    def addresses(self) -> Addresses:
        return self._assistant.addresses

    def record(self, answer_id: str) -> AnswerRecord:
        """The finished answer. Raises AnswerNotFoundError: there is none."""
        found = self._finished.get(answer_id)
        return found or read_answer(self._assistant.database, self._assistant.home.tenant_id, answer_id)

    def _events(self, stream_id: str, after: int) -> list[StreamEvent]:
        events = read_events(self._assistant.database, stream_id, after)
        if not events and stream_id not in self._running:
            end_if_dead(self._assistant.database, stream_id)
        return events

    def _write(self, opened: Opened) -> None:
        answer_id = opened.answer_id
        try:
            for piece in self._assistant.write(opened):
                if isinstance(piece, str):
                    self._tell(answer_id, Kind.TEXT, piece)
                    continue
                self._remember(piece)
                self._tell(answer_id, Kind.ANSWER)
        except Exception as error:  # whatever it was: no reader may wait for ever
            said = error.what if isinstance(error, AionError) else "AION met an error that it did not expect."
            _log.exception("Answer %s failed.", answer_id)
            with contextlib.suppress(AionError):
                self._tell(answer_id, Kind.ERROR, said)
        finally:
            with self._changing:
                self._running.pop(answer_id, None)

    def _tell(self, answer_id: str, kind: Kind, text: str = "") -> None:
        append_event(self._assistant.database, answer_id, kind, text)
        with self._changing:
            readers = [*self._readers.get(answer_id, ())]
        for loop, news in readers:
            with contextlib.suppress(RuntimeError):  # its loop has ended
                loop.call_soon_threadsafe(news.set)

    def _remember(self, record: AnswerRecord) -> None:
        """What is offered below an answer while it is new is not part of its record."""
        self._finished[record.answer_id] = record
        while len(self._finished) > _REMEMBERED:
            self._finished.popitem(last=False)

    def _watch(self) -> None:
        """Look for stops that other processes recorded, and say that this one lives."""
        database = self._assistant.database
        with contextlib.suppress(AionError):
            end_dead_streams(database, self._assistant.home.tenant_id)
        rounds = 0
        while not self._closed.wait(_LOOK_EVERY_S):
            with self._changing:
                ours = [*self._running]
            rounds += 1
            try:
                alive = rounds % round(_ALIVE_EVERY_S / _LOOK_EVERY_S) == 0
                stopped = keep_alive(database, ours) if alive else stops_among(database, ours) if ours else set()
            except AionError as error:  # a database that is away for a moment
                _log.warning("Streams cannot be watched: %s", error)
                continue
            for stream_id in stopped:
                if (running := self._running.get(stream_id)) is not None:
                    running.stop.set()
