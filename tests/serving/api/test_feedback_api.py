"""What people say of an answer reaches the record: the words once, the figures as events."""

from typing import Any

import httpx
import pytest
from serving_base import KnowledgeBase
from sqlalchemy import select

from aion_assets.core.database import tables

QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"


@pytest.fixture
def answer(client: httpx.Client) -> dict[str, Any]:
    return dict(client.post("/api/chat", json={"message": QUESTION}).json())


def _events(base: KnowledgeBase, answer: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    events = tables.events.c
    asked = select(events.body).where(events.answer_id == answer["answer_id"], events.kind == kind)
    with base.database.read() as connection:
        return list(connection.execute(asked.order_by(events.event_id)).scalars())


def _standing(base: KnowledgeBase, answer: dict[str, Any]) -> list[tuple[int, str, str]]:
    said = tables.feedback.c
    asked = select(said.thumb, said.comment, said.correction)
    with base.database.read() as connection:
        rows = connection.execute(asked.where(said.answer_id == answer["answer_id"], said.withdrawn_at.is_(None)))
        return [tuple(row) for row in rows]


def test_a_thumb_and_a_later_correction_stand_together(
    client: httpx.Client, shared_base: KnowledgeBase, answer: dict[str, Any]
) -> None:
    path = f"/api/answers/{answer['answer_id']}/feedback"
    assert client.post(path, json={"thumb": "up"}).status_code == 200
    assert client.post(path, json={"thumb": "down"}).status_code == 200
    assert client.post(path, json={"correction": "São 45 dias corridos."}).status_code == 200
    assert _standing(shared_base, answer) == [(-1, "", "São 45 dias corridos.")]
    told = _events(shared_base, answer, "feedback")
    assert [(event["thumb"], event["has_correction"]) for event in told] == [(1, False), (-1, False), (-1, True)]
    assert "corridos" not in str(told)


def test_what_was_said_can_be_taken_back(
    client: httpx.Client, shared_base: KnowledgeBase, answer: dict[str, Any]
) -> None:
    path = f"/api/answers/{answer['answer_id']}/feedback"
    client.post(path, json={"thumb": "up"})
    assert client.delete(path).json() == {"taken_back": True}
    assert client.delete(path).json() == {"taken_back": False}
    assert _standing(shared_base, answer) == []
    assert _events(shared_base, answer, "feedback")[-1]["withdrawn"] is True


def test_an_opened_source_is_told_with_its_rank_and_propensity(
    client: httpx.Client, shared_base: KnowledgeBase, answer: dict[str, Any]
) -> None:
    path = f"/api/answers/{answer['answer_id']}/clicks"
    assert client.post(path, json={"number": 1}).status_code == 204
    (told,) = _events(shared_base, answer, "click")
    assert told["chunk_id"] == answer["citations"][0]["chunk_id"]
    assert told["rank"] >= 1 and told["propensity"] == 1.0 and told["role"] == "cited"
    refused = client.post(path, json={"number": 9})
    assert refused.status_code == 404 and "no source 9" in refused.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/answers/nowhere/feedback", {"thumb": "up"}, 404),
        ("/api/answers/nowhere/clicks", {"number": 1}, 404),
        ("{answer}/feedback", {}, 422),
        ("{answer}/feedback", {"comment": "   "}, 422),
        ("{answer}/feedback", {"thumb": "sideways"}, 422),
        ("{answer}/clicks", {"number": 0}, 422),
    ],
)
def test_what_says_nothing_or_is_of_no_answer_is_refused_with_the_next_step(
    client: httpx.Client, answer: dict[str, Any], path: str, body: dict[str, Any], status: int
) -> None:
    refused = client.post(path.replace("{answer}", f"/api/answers/{answer['answer_id']}"), json=body)
    assert refused.status_code == status
    assert refused.json()["error"] and refused.json()["next_step"]
