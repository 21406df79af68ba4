"""Prometheus reads what the server did, and the rules and the board that come with AION ask only for what it tells."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families
from serving_base import KnowledgeBase

from aion_assets.core.learn.reports import RETRIEVAL, store_report
from aion_assets.core.release.releases import current_release
from aion_assets.core.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
ANSWERED = "Com quantos dias de antecedência o pedido de férias deve ser feito?"
UNKNOWN = "Qual é a capital da Mongólia?"


def _told(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names…) → value"""
    reply = client.get("/metrics")
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(reply.text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_answers_abstentions_and_their_times_are_counted(
    serve: Callable[[Settings], httpx.Client], shared_base: KnowledgeBase
) -> None:
    client = serve(shared_base.settings)
    for question in (ANSWERED, ANSWERED, UNKNOWN):
        assert client.post("/api/chat", json={"message": question}).status_code == 200
    told = _told(client)
    assert told["aion_answers_total", "extractive"] == 2
    assert told["aion_answers_total", "abstention"] == told["aion_fallback_total", "abstention"] == 1
    assert told["aion_answer_latency_seconds_count", "total"] == 3
    assert 0 < told["aion_answer_latency_seconds_sum", "retrieval"] < told["aion_answer_latency_seconds_sum", "total"]


def test_thumbs_and_opened_sources_are_counted(
    serve: Callable[[Settings], httpx.Client], shared_base: KnowledgeBase
) -> None:
    client = serve(shared_base.settings)
    answer_id = client.post("/api/chat", json={"message": ANSWERED}).json()["answer_id"]
    client.post(f"/api/answers/{answer_id}/feedback", json={"thumb": "down"})
    client.post(f"/api/answers/{answer_id}/clicks", json={"number": 1})
    client.post(f"/api/answers/{answer_id}/clicks", json={"number": 99})
    told = _told(client)
    assert told["aion_feedback_total", "down"] == told["aion_clicks_total",] == 1


def test_the_release_that_serves_is_told_with_its_newest_measure(
    serve: Callable[[Settings], httpx.Client], base: KnowledgeBase
) -> None:
    client = serve(base.settings)
    release = current_release(base.database, base.settings.tenant_id)
    told = _told(client)
    assert told["aion_release", release.model_release_id[:16], release.release_id[:16]] == 1
    assert told["aion_passages",] == release.index["rows"]
    assert ("aion_ndcg",) not in told, "nothing was labelled, so nothing is claimed"
    store_report(base.home, RETRIEVAL, release.table, {"metrics": {"ndcg@10": 0.75}})
    assert _told(client)["aion_ndcg",] == 0.75


def test_before_the_first_release_there_are_counters_alone(
    serve: Callable[[Settings], httpx.Client], settings: Settings
) -> None:
    told = _told(serve(settings))
    assert told["aion_fallback_total", "abstention"] == 0 and not any(name[0] == "aion_release" for name in told)


def test_rules_and_board_ask_only_for_what_the_server_tells(
    serve: Callable[[Settings], httpx.Client], base: KnowledgeBase
) -> None:
    client = serve(base.settings)
    release = current_release(base.database, base.settings.tenant_id)
    store_report(base.home, RETRIEVAL, release.table, {"metrics": {"ndcg@10": 0.9}})
    answer_id = client.post("/api/chat", json={"message": ANSWERED}).json()["answer_id"]
    client.post(f"/api/answers/{answer_id}/feedback", json={"thumb": "up"})
    names = {name[0] for name in _told(client)}
    rules = yaml.safe_load((DEPLOY / "prometheus" / "aion.rules.yml").read_text("utf-8"))["groups"][0]["rules"]
    board = json.loads((DEPLOY / "grafana" / "aion.json").read_text("utf-8"))
    asked = [rule["expr"] for rule in rules] + [
        target["expr"] for panel in board["panels"] for target in panel["targets"]
    ]
    wanted = {name for expression in asked for name in re.findall(r"aion_\w+", expression)}
    assert {"aion_answers_total", "aion_fallback_total", "aion_ndcg"} <= wanted <= names
    told = {rule["alert"]: (rule["for"], rule["labels"]["severity"]) for rule in rules}
    assert told["HighFallbackRate"] == ("10m", "warning") and told["LowNDCG"] == ("30m", "critical")
