"""A sensor whose ticks fail and a check that fails are told once, to the log, as an event and to a webhook."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
from dagster._utils.error import SerializableErrorInfo
from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.record.events import RunFailureEvent, record_event
from aion_assets.core.settings import Settings
from aion_assets.definitions import defs
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.ops.alarms import alarms

SECRET = "what a document says"
CHECK = dg.AssetCheckKey(dg.AssetKey(["eval", "retriever_report"]), "candidate_is_better")


@pytest.fixture
def instance(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    from aion_assets.local.foreground import dagster_home, dagster_instance

    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home()))
    with dagster_instance() as opened:
        yield opened


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """Its address, what it took, and the statuses with which it answers next; 204 after those."""
    taken: list[dict[str, Any]] = []
    statuses: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = statuses.pop(0) if statuses else 204
            if status < 300:
                taken.append(body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/alarm", taken, statuses
    server.shutdown()
    server.server_close()


def enter_tick(instance: dg.DagsterInstance, status: TickStatus) -> None:
    """A tick of a sensor as the daemon would have recorded it."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("aion"), "__repository__")
    origin = RemoteInstigatorOrigin(repository, "quality_drop_sensor")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
    if not instance.all_instigator_state():
        instance.add_instigator_state(state)
    cause = SerializableErrorInfo(SECRET, [], "ZeroDivisionError")
    error = SerializableErrorInfo("Error in sensor", [], "SensorExecutionError", cause)
    data = TickData(
        instigator_origin_id=state.instigator_origin_id,
        instigator_name=state.instigator_name,
        instigator_type=InstigatorType.SENSOR,
        status=status,
        timestamp=time.time(),
        selector_id=state.selector_id,
        error=error if status == TickStatus.FAILURE else None,
    )
    instance.create_tick(data)


def enter_check(instance: dg.DagsterInstance, *, passed: bool) -> None:
    told = dg.AssetCheckEvaluation(asset_key=CHECK.asset_key, check_name=CHECK.name, passed=passed, metadata={})
    instance.report_runless_asset_event(told)


def look(instance: dg.DagsterInstance, cursor: str | None) -> tuple[str, str]:
    """What it says, and its cursor."""
    context = dg.build_sensor_context(
        instance_ref=instance.get_ref(),
        cursor=cursor,
        definitions=defs,
        resources={"knowledge_base": KnowledgeBaseResource()},
    )
    found = alarms.evaluate_tick(context)
    return found.skip_message or "", found.cursor or ""


def test_what_fails_is_told_once_and_so_is_its_end(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = KnowledgeBaseResource().home
    with webhook() as (address, taken, statuses):
        monkeypatch.setenv("AION_ALARM_WEBHOOK", address)
        says, cursor = look(instance, None)
        assert says == "Nothing fails." and not taken
        enter_tick(instance, TickStatus.FAILURE)
        enter_check(instance, passed=False)
        statuses.append(503)
        says, cursor = look(instance, cursor)
        assert "Sensor quality_drop_sensor fails (ZeroDivisionError)." in says and "candidate_is_better fails" in says
        assert taken == [], "the webhook was down"
        says, cursor = look(instance, cursor)
        assert [(item["of"], item["failing"]) for item in taken] == [("sensor", True), ("check", True)]
        assert taken[0]["text"] == "Sensor quality_drop_sensor fails (ZeroDivisionError)."
        _, cursor = look(instance, cursor)
        assert len(taken) == 2, "once, however long it fails"
        with home.database.write() as connection:
            record_event(connection, home.tenant_id, RunFailureEvent("run-7", "ingest"))
        _, cursor = look(instance, cursor)
        run = taken.pop()
        assert (run["of"], run["name"], run["run_id"]) == ("run", "ingest", "run-7") and run["at"]
        enter_tick(instance, TickStatus.SKIPPED)
        enter_check(instance, passed=True)
        says, cursor = look(instance, cursor)
        assert says == "Nothing fails."
        assert [(item["of"], item["failing"]) for item in taken[2:]] == [("sensor", False), ("check", False)]
        assert SECRET not in str(taken)
    with home.database.read() as connection:
        told = connection.execute(select(tables.events.c.body).where(tables.events.c.kind == "alarm")).scalars().all()
    assert [(body["name"], body["failing"]) for body in told] == [(item["name"], item["failing"]) for item in taken]
    assert SECRET not in str(told)
