"""The labelling queue and the exports by API and command line."""

import json

import httpx
import pytest
from serving_base import KnowledgeBase
from typer.testing import CliRunner

from aion_assets.cli import build_app

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
