"""The labelling queue and the exports by API and command line."""

import json
from datetime import timedelta

import httpx
import pytest
from serving_base import KnowledgeBase
from typer.testing import CliRunner

from aion_assets.cli import build_app
from aion_assets.core.learn.daily import measure_day
from aion_assets.core.learn.watch import today_of

UNCERTAIN = "Onde ficam as janelas do laboratório de química?"


def test_a_question_is_labelled_and_exported(
    client: httpx.Client, shared_base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AION_HOME", str(shared_base.settings.home))
    answer = client.post("/api/chat", json={"message": UNCERTAIN}).json()
    queue = client.get("/api/labelling", params={"limit": 200}).json()["items"]
    (item,) = [item for item in queue if item["answer_id"] == answer["answer_id"]]
    assert item["question"] == UNCERTAIN and item["sources"]
    refused = client.post(f"/api/labelling/{answer['answer_id']}", json={"sources": [9]})
    assert refused.status_code == 404
    told = CliRunner().invoke(build_app(), ["golden", "label", "--json", "--limit", "1000"])
    assert answer["answer_id"] in told.output
    assert client.delete(f"/api/labelling/{answer['answer_id']}").status_code == 204
    queue = client.get("/api/labelling", params={"limit": 200}).json()["items"]
    assert answer["answer_id"] not in [item["answer_id"] for item in queue]

    events = client.get("/api/export/events")
    assert events.headers["content-disposition"] == 'attachment; filename="events.jsonl"'
    lines = [json.loads(line) for line in events.text.splitlines()]
    assert answer["answer_id"] in {line["answer_id"] for line in lines}
    assert UNCERTAIN not in events.text
    printed = CliRunner().invoke(build_app(), ["export", "events"]).output.splitlines()
    assert [json.loads(line)["event_id"] for line in printed][: len(lines)] == [line["event_id"] for line in lines]
    assert client.get("/api/export/sft").status_code == 200


def test_the_figures_of_today_and_what_waits_are_one_object(client: httpx.Client, shared_base: KnowledgeBase) -> None:
    home = shared_base.home
    answer = client.post("/api/chat", json={"message": UNCERTAIN}).json()
    before = client.get("/api/metrics").json()
    client.post(f"/api/answers/{answer['answer_id']}/feedback", json={"correction": "Ao lado do armário."})
    measure_day(home, today_of(home), None, answer["release_id"])
    told = client.get("/api/metrics").json()
    assert told["release_id"] == answer["release_id"]
    assert told["today"]["figures"]["abstention_rate"]["n"] > 0 and told["today"]["day"] == today_of(home).isoformat()
    assert told["yesterday"] == {"day": (today_of(home) - timedelta(days=1)).isoformat(), "figures": {}}
    assert told["waiting"]["corrections"] == before["waiting"]["corrections"] + 1
    assert told["watch"]["suspended"] is False
