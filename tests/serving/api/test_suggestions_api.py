"""Shown is an impression, chosen a click, and what came of it a conversion; each counts once."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from serving_base import KnowledgeBase
from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.setting_values import Action
from aion_assets.core.settings import Settings

ACTIONS = (Action("Abrir um chamado", "https://ajuda.example.org/novo"),)


@pytest.fixture
def asking(serve: Callable[[Settings], httpx.Client], shared_base: KnowledgeBase) -> httpx.Client:
    return serve(shared_base.settings.model_copy(update={"actions": ACTIONS}))


def _asked(client: httpx.Client, question: str) -> dict[str, Any]:
    return dict(client.post("/api/chat", json={"message": question}).json())


def _events(base: KnowledgeBase, answer: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    events = tables.events.c
    asked = select(events.kind, events.body).where(events.answer_id == answer["answer_id"])
    wanted = asked.where(events.kind.in_(("impression", "suggestion_click", "conversion"))).order_by(events.event_id)
    with base.database.read() as connection:
        return [(row.kind, row.body) for row in connection.execute(wanted)]


def test_an_action_is_shown_chosen_and_converted_once_each(asking: httpx.Client, shared_base: KnowledgeBase) -> None:
    answer = _asked(asking, "Qual é a capital da Mongólia?")
    (action,) = answer["suggestions"]
    assert (action["kind"], action["text"], action["url"]) == ("action", *ACTIONS[0])
    chosen = action["suggestion_id"]
    early = asking.post("/api/conversions", json={"suggestion_id": chosen})
    assert early.status_code == 422 and "click" in early.json()["next_step"]
    for _ in range(2):
        assert asking.post(f"/api/suggestions/{chosen}/click").status_code == 204
        assert asking.post("/api/conversions", json={"suggestion_id": chosen, "value": 12.5}).status_code == 204
    assert _events(shared_base, answer) == [
        ("impression", {"suggestion_ids": [chosen]}),
        ("suggestion_click", {"suggestion_id": chosen, "rank": 1, "of_kind": "action"}),
        ("conversion", {"suggestion_id": chosen, "value": 12.5}),
    ]


def test_a_suggestion_nobody_was_shown_is_unknown(asking: httpx.Client) -> None:
    assert asking.post("/api/suggestions/none/click").status_code == 404
    assert asking.post("/api/conversions", json={"suggestion_id": "none"}).status_code == 404


def test_without_anything_to_offer_no_impression_is_told(client: httpx.Client, shared_base: KnowledgeBase) -> None:
    answer = _asked(client, "Qual é a capital da Mongólia?")
    assert answer["suggestions"] == [] and _events(shared_base, answer) == []
