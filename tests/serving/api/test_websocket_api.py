"""The chat API for other clients: by WebSocket, and with a threshold of one's own."""

import json
from collections.abc import Callable, Iterator
from socket import create_connection
from typing import Any

import httpx
import pytest
from serving_base import KnowledgeBase
from stub_model import StubModel, stub_model
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from aion_assets.core.settings import Settings

QUESTION = "When does the full backup of the database run?"
SAYS = (
    "A full backup of the database runs every Sunday at 02:00. An incremental backup runs on every other night. The "
    "operator on duty checks the report of the backup before nine in the morning. To restore a database, stop the "
    "service. A restore drill is held every quarter and takes about forty minutes. The end of it all is near."
)


@pytest.fixture
def stub() -> Iterator[StubModel]:
    with stub_model(says=SAYS, pause_s=0.01) as stub:
        yield stub


@pytest.fixture
def chat(serve: Callable[[Settings], httpx.Client], shared_base: KnowledgeBase, stub: StubModel) -> httpx.Client:
    return serve(shared_base.settings.model_copy(update={"local_llm_url": stub.url}))


def opened(chat: httpx.Client, **options: Any) -> ClientConnection:
    url = str(chat.base_url).rstrip("/").replace("http://", "ws://")
    return connect(f"{url}/api/chat/stream", proxy=None, **options)


def ask(socket: ClientConnection, **message: object) -> None:
    socket.send(json.dumps(message))


def told(socket: ClientConnection, last: str = "answer") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or found[-1]["event"] not in (last, "error"):
        found.append(json.loads(socket.recv(timeout=60)))
    return [event for event in found if event["event"] != "heartbeat"]


def test_an_answer_comes_piece_by_piece_and_can_be_followed_on_another_socket(chat: httpx.Client) -> None:
    with opened(chat) as socket:
        ask(socket, message=QUESTION, request_id="one")
        events = told(socket)
    assert [event["event"] for event in events][:2] == ["start", "text"]
    answer = events[-1]["data"]
    pieces = [event for event in events if event["event"] == "text"]
    assert "".join(event["data"]["text"] for event in pieces) == answer["text"]
    assert (answer["used"], answer["citations"][0]["number"]) == ("generative", 1)
    with opened(chat) as socket:
        ask(socket, resume=answer["answer_id"], after=int(pieces[0]["id"].partition(":")[2]))
        rest = told(socket)
        ask(socket, message=QUESTION, request_id="one")
        again = told(socket)
    assert rest == events[2:]
    assert again[0]["data"]["answer_id"] == answer["answer_id"], "the same request joins the same answer"


def test_a_reader_who_left_finds_the_whole_answer_and_a_stop_ends_one(chat: httpx.Client, stub: StubModel) -> None:
    stub.pause_s = 0.05
    with opened(chat) as socket:
        ask(socket, message=QUESTION)
        started = json.loads(socket.recv(timeout=60))["data"]["answer_id"]
    with opened(chat) as socket:
        ask(socket, resume=started)
        assert told(socket)[-1]["data"]["state"] == "complete"
        ask(socket, message="When is a restore drill held?")
        events = told(socket, "text")
        ask(socket, stop=events[0]["data"]["answer_id"])
        assert told(socket)[-1]["data"]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ("no json", "not as it should be"),
        ("{}", "no question"),
        (json.dumps({"message": "a\0b"}), "NUL"),
        (json.dumps({"resume": "nothing"}), "nothing"),
        (json.dumps({"message": "x" * 9000}), "not as it should be"),
    ],
)
def test_what_is_no_question_is_told_and_the_socket_goes_on(chat: httpx.Client, sent: str, says: str) -> None:
    with opened(chat) as socket:
        socket.send(sent)
        (event,) = told(socket)
        assert event["event"] == "error" and says in event["data"]["error"]
        ask(socket, message=QUESTION)
        assert told(socket)[-1]["event"] == "answer"


def test_a_page_of_another_site_and_a_foreign_name_open_no_socket(chat: httpx.Client) -> None:
    own = f"http://127.0.0.1:{chat.base_url.port}"
    with opened(chat, origin=own) as socket:
        ask(socket, message=QUESTION)
        assert told(socket)
    with pytest.raises(InvalidStatus, match="403"):
        opened(chat, origin="https://evil.example")
    with pytest.raises(InvalidStatus, match="403"):
        sock = create_connection(("127.0.0.1", chat.base_url.port or 0))
        connect("ws://evil.example/api/chat/stream", sock=sock, proxy=None)


def test_a_question_may_have_its_own_threshold_and_leave_out_the_own_models(
    chat: httpx.Client, stub: StubModel
) -> None:
    def asked(**body: object) -> dict[str, Any]:
        return dict(chat.post("/api/ai/chat", json={"message": QUESTION, **body}).raise_for_status().json())

    plain = asked()
    assert plain.keys() == {"text", "used", "C", "tau", "citations", "answer_id", "reason"}
    assert plain["used"] == "generative" and plain["citations"]
    strict = asked(tau=1.0)
    assert (strict["used"], strict["tau"]) == ("abstention", 1.0)
    count = len(stub.asked)
    forced = asked(forceFallback=True)
    assert forced["used"] == "extractive" and "left out" in forced["reason"] and len(stub.asked) == count
    assert chat.get(f"/api/answers/{forced['answer_id']}/why").is_success
    assert chat.post("/api/ai/chat", json={"message": QUESTION, "tau": 2}).status_code == 422
