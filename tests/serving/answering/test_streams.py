"""Streams over a real server: resumed, stopped, started twice, left by their readers and by their writers."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import pytest
from deadlines import is_in_time
from serving_base import KnowledgeBase
from sqlalchemy import update
from stub_model import StubModel, stub_model

from aion_assets.core.database import stream_tables
from aion_assets.core.database.engine import now
from aion_assets.core.record.answers import Asked, State, open_answer, read_answer
from aion_assets.core.record.streams import DIED, Kind, append_event, open_stream
from aion_assets.core.settings import Settings
from aion_serving.answering.assistant import Assistant
from aion_serving.answering.generations import Generations

QUESTION = {"message": "When does the full backup of the database run?"}
SAYS = (
    "A full backup of the database runs every Sunday at 02:00. An incremental backup runs on every other night. The "
    "operator on duty checks the report of the backup before nine in the morning. To restore a database, stop the "
    "service. A restore drill is held every quarter and takes about forty minutes. The end of it all is near."
)
Serve = Callable[[Settings], httpx.Client]
Found = TypeVar("Found")
Event = tuple[str, str, dict[str, object]]


@pytest.fixture
def stub() -> Iterator[StubModel]:
    with stub_model(says=SAYS, pause_s=0.03) as stub:
        yield stub


@pytest.fixture
def settings_with_model(shared_base: KnowledgeBase, stub: StubModel) -> Settings:
    return shared_base.settings.model_copy(update={"local_llm_url": stub.url})


@pytest.fixture
def chat(serve: Serve, settings_with_model: Settings) -> httpx.Client:
    return serve(settings_with_model)


def events(response: httpx.Response) -> Iterator[Event]:
    """(id, kind, body)"""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])
            fields = {}
        else:
            fields = {}


def run(coroutine: Coroutine[Any, Any, Found]) -> Found:
    """In a thread of its own: playwright keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def text_of(heard: list[Event]) -> str:
    return "".join(str(body["text"]) for _, kind, body in heard if kind == "text")


def begun(chat: httpx.Client, pieces: int = 1, **body: str) -> list[Event]:
    """The first events of a new stream, up to this many pieces of text. Its reader then leaves."""
    heard: list[Event] = []
    with chat.stream("POST", "/api/chat/stream", json={**QUESTION, **body}) as response:
        for event in events(response):
            heard.append(event)
            if sum(kind == "text" for _, kind, _ in heard) == pieces:
                break
    return heard


def rest(chat: httpx.Client, stream_id: str, last_id: str = "") -> list[Event]:
    headers = {"last-event-id": last_id} if last_id else {}
    with chat.stream("GET", f"/api/chat/stream/{stream_id}", headers=headers) as response:
        assert response.status_code == 200
        return [*events(response)]


def test_three_reconnects_lose_nothing_and_double_nothing(chat: httpx.Client) -> None:
    heard = begun(chat)
    stream_id = str(heard[0][2]["answer_id"])
    for _ in range(3):
        with chat.stream("GET", f"/api/chat/stream/{stream_id}", headers={"last-event-id": heard[-1][0]}) as response:
            heard.append(next(events(response)))
    heard += rest(chat, stream_id, heard[-1][0])
    assert heard[-1][1] == "answer"
    answer = heard[-1][2]
    assert answer["used"] == "generative"
    assert text_of(heard) == answer["text"]
    assert text_of(rest(chat, stream_id)) == answer["text"], "a later look shows all of it"


def test_a_browser_that_comes_back_with_the_last_event_goes_on_from_there(chat: httpx.Client) -> None:
    heard = begun(chat)
    with chat.stream("GET", "/api/chat/stream", params=QUESTION, headers={"last-event-id": heard[-1][0]}) as response:
        heard += events(response)
    assert text_of(heard) == heard[-1][2]["text"]
    assert heard[-1][2]["answer_id"] == heard[0][2]["answer_id"]


def test_an_answer_whose_reader_left_is_finished_and_stored(chat: httpx.Client, shared_base: KnowledgeBase) -> None:
    stream_id = str(begun(chat)[0][2]["answer_id"])
    deadline = time.monotonic() + 30
    while read_answer(shared_base.database, "default", stream_id).state is State.OPEN and time.monotonic() < deadline:
        time.sleep(0.1)
    assert read_answer(shared_base.database, "default", stream_id).state is State.COMPLETE


@pytest.mark.parametrize("elsewhere", [False, True], ids=["by the same server", "by another server"])
def test_a_stop_ends_the_answer_within_a_second_and_keeps_what_was_written(
    chat: httpx.Client, stub: StubModel, serve: Serve, settings_with_model: Settings, elsewhere: bool
) -> None:
    stopper = serve(settings_with_model) if elsewhere else chat
    stub.pause_s = 0.2

    def stopped() -> float:
        stub.hung_up.clear()
        heard = begun(chat)
        stream_id = str(heard[0][2]["answer_id"])
        asked = time.monotonic()
        assert stopper.post(f"/api/chat/stream/{stream_id}/stop").json() == {"stopping": True}
        assert stub.hung_up.wait(10), "the model goes on writing"
        ended_s = time.monotonic() - asked
        heard += rest(chat, stream_id, heard[-1][0])
        answer = heard[-1][2]
        assert answer["state"] == "cancelled"
        assert answer["text"] == text_of(heard) != ""
        assert answer["citations"]
        assert stopper.post(f"/api/chat/stream/{stream_id}/stop").json() == {"stopping": False}
        return ended_s

    assert is_in_time(1.0 + 2 * stub.pause_s, stopped), "the stub notices with its next word but one"


def test_a_start_that_is_repeated_joins_the_same_answer(chat: httpx.Client, stub: StubModel) -> None:
    streams: list[str] = []

    def start() -> None:
        streams.append(str(begun(chat, request_id="same")[0][2]["answer_id"]))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(streams) == 4
    assert len(set(streams)) == 1
    assert len(stub.asked) == 1


def test_a_dead_process_leaves_a_failed_answer_and_no_spinner(chat: httpx.Client, shared_base: KnowledgeBase) -> None:
    database = shared_base.database
    answer_id = open_answer(database, "default", Asked("?", "release", "prompt"))
    open_stream(database, "default", answer_id)
    append_event(database, answer_id, Kind.TEXT, "A full")
    with database.write() as connection:  # as if its process had been silent for long
        silent = update(stream_tables.streams).where(stream_tables.streams.c.answer_id == answer_id)
        connection.execute(silent.values(alive_at=now() - timedelta(minutes=2)))
    heard = rest(chat, answer_id)
    assert [kind for _, kind, _ in heard] == ["start", "text", "error"]
    assert heard[-1][2]["error"] == DIED
    assert read_answer(database, "default", answer_id).state is State.FAILED


def test_an_error_nobody_expected_is_the_last_event(shared_base: KnowledgeBase) -> None:
    class Broken:
        def write(self, _task: object) -> Iterator[str]:
            yield "A full"
            raise RuntimeError("boom")

    assistant = Assistant(shared_base.settings)
    assistant.__dict__["chain"] = Broken()
    generations = Generations(assistant)

    async def heard() -> list[str]:
        stream_id = await asyncio.to_thread(generations.start, QUESTION["message"], channel="api")
        found = [event async for event in generations.read(stream_id) if event is not None]
        assert (await asyncio.to_thread(generations.record, stream_id)).state is State.FAILED
        return [event.kind for event in found]

    assert run(heard()) == ["text", "error"]
    generations.close()


def test_readers_who_do_not_read_harm_nobody(chat: httpx.Client) -> None:
    stream_id = str(begun(chat)[0][2]["answer_id"])
    base = str(chat.base_url)

    async def crowd() -> float:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=base, timeout=60, trust_env=False, limits=limits) as client:
            idle = [client.build_request("GET", f"/api/chat/stream/{stream_id}") for _ in range(50)]
            responses = await asyncio.gather(*(client.send(request, stream=True) for request in idle))
            started = time.monotonic()
            answer = (await client.post("/api/chat", json={"message": "Qual é a capital da Mongólia?"})).json()
            waited = time.monotonic() - started
            assert answer["used"] == "abstention"
            for response in responses:
                await response.aclose()
            return waited

    assert run(crowd()) < 10
    assert rest(chat, stream_id)[-1][1] == "answer"


def test_an_unknown_stream_is_404(chat: httpx.Client) -> None:
    for response in (
        chat.get("/api/chat/stream/nothing"),
        chat.post("/api/chat/stream/nothing/stop"),
        chat.get("/api/chat/stream", params=QUESTION, headers={"last-event-id": "nothing:3"}),
    ):
        assert response.status_code == 404
        assert "nothing" in response.json()["error"]


def test_a_follow_up_is_understood_with_the_question_before(chat: httpx.Client, stub: StubModel) -> None:
    stub.pause_s = 0
    asked = {"message": "When does the full backup of the database run?", "conversation_id": "talk"}
    chat.post("/api/chat", json=asked)
    answer = chat.post("/api/chat", json={"message": "And the incremental one?", "conversation_id": "talk"}).json()
    assert "full backup of the database run? And the incremental one?" in stub.asked[-1]["messages"][-1]["content"]
    assert answer["citations"][0]["title"] == "Backup procedure"
    why = chat.get(f"/api/answers/{answer['answer_id']}/why").json()
    assert why["answer"]["question"] == "And the incremental one?"
    alone = chat.post("/api/chat", json={"message": "And the incremental one?"}).json()
    assert alone["C"] < answer["C"]
