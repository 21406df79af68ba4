"""`aion up` as a person starts it: real servers, one Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

_AION = [sys.executable, "-m", "aion_assets"]
# A first start indexes the manual; other work on the machine may slow it several times.
_READY_TIMEOUT_S = 240


@dataclass(slots=True)
class Running:
    process: "subprocess.Popen[str]"
    port: int
    dagster_port: int
    environment: dict[str, str]
    log: Path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("up")
    port, dagster_port = _free_port(), _free_port()
    environment = os.environ | {
        "AION_HOME": str(folder / "home"),
        "AION_PORT": str(port),
        "AION_DAGSTER_PORT": str(dagster_port),
    }
    log = folder / "up.log"
    process = _started(environment, log)
    running = Running(process, port, dagster_port, environment, log)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(30)


def _starting(environment: dict[str, str], log: Path) -> "subprocess.Popen[str]":
    with log.open("w") as output:
        return subprocess.Popen(
            [*_AION, "up"], env=environment, stdout=output, stderr=output, start_new_session=True, text=True
        )


def _started(environment: dict[str, str], log: Path) -> "subprocess.Popen[str]":
    process = _starting(environment, log)
    _wait_for(lambda: "is ready" in log.read_text() or process.poll() is not None)
    assert "is ready" in log.read_text(), log.read_text()
    return process


def _wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not what() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert what()


def _family(running: Running) -> list[psutil.Process]:
    return psutil.Process(running.process.pid).children(recursive=True)


def _code_servers(running: Running) -> list[psutil.Process]:
    return [child for child in _family(running) if {"api", "grpc"} <= set(_command(child))]


def _ask_dagster(running: Running, query: str, **variables: Any) -> dict[str, Any]:
    address = f"http://127.0.0.1:{running.dagster_port}/graphql"
    body = {"query": query, "variables": variables}
    headers = {"Origin": f"http://127.0.0.1:{running.dagster_port}"}
    return dict(httpx.post(address, json=body, headers=headers, timeout=60, trust_env=False).json()["data"])


def _launch(running: Running, job: str, partition: str) -> str:
    """Id of the run."""
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "aion_assets.definitions",
        "jobName": job,
    }
    launched = _ask_dagster(
        running,
        """mutation ($parameters: ExecutionParams!) { launchRun(executionParams: $parameters) {
             __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
        parameters={
            "selector": selector,
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": partition}]},
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def _status(running: Running, run_id: str) -> str:
    query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    return str(_ask_dagster(running, query, id=run_id)["runOrError"]["status"])


def _answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.timeout(400)
def test_the_chat_answers_from_the_manual_after_the_first_start(running: Running) -> None:
    page = httpx.get(f"http://127.0.0.1:{running.port}/", trust_env=False)
    assert page.status_code == 200
    asked = {"message": "Como rejeitar um documento?"}
    answer = httpx.post(f"http://127.0.0.1:{running.port}/api/chat", json=asked, timeout=60, trust_env=False).json()
    assert answer["citations"], answer
    assert "aion curate reject" in answer["text"]


def test_dagster_shows_the_code_location_and_the_first_run(running: Running) -> None:
    found = _ask_dagster(running, "{ assetNodes { id } runsOrError { ... on Runs { results { status jobName } } } }")
    assert len(found["assetNodes"]) >= 8
    assert {"status": "SUCCESS", "jobName": "ingest"} in found["runsOrError"]["results"]


def test_the_webserver_and_the_daemon_share_one_code_server(running: Running) -> None:
    (server,) = _code_servers(running)
    folder = Path(server.cmdline()[server.cmdline().index("--socket") + 1]).parent
    assert folder.stat().st_mode & 0o077 == 0, "others on this machine cannot have it run their code"


def test_a_second_start_in_the_same_home_is_refused(running: Running) -> None:
    second = subprocess.run([*_AION, "up"], env=running.environment, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert "runs already in" in second.stderr


def test_a_taken_port_is_named_with_its_setting(running: Running, tmp_path: Path) -> None:
    environment = running.environment | {"AION_HOME": str(tmp_path / "other")}
    refused = subprocess.run([*_AION, "up"], env=environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert str(running.port) in refused.stderr
    assert "AION_PORT" in refused.stderr


def test_one_port_for_both_servers_is_refused(running: Running, tmp_path: Path) -> None:
    environment = running.environment | {"AION_HOME": str(tmp_path / "other"), "AION_DAGSTER_PORT": str(running.port)}
    refused = subprocess.run([*_AION, "up"], env=environment, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "AION_PORT and AION_DAGSTER_PORT are both" in refused.stderr


@pytest.mark.timeout(400)
def test_a_part_that_dies_is_started_again_while_the_others_go_on(running: Running) -> None:
    webserver = next(child for child in _family(running) if "aion_assets.local.webserver" in child.cmdline())
    webserver.kill()
    _wait_for(lambda: "Started dagster-webserver again." in running.log.read_text())
    assert _answers(running.port, "/health")
    _wait_for(lambda: _answers(running.dagster_port, "/server_info"))
    assert running.process.poll() is None


@pytest.mark.timeout(400)
def test_runs_survive_the_death_of_the_code_server_which_is_started_again(running: Running) -> None:
    # Of one source, so that the second waits for the first, and is begun by the next code server.
    runs = [_launch(running, "ingest", "manual") for _ in range(2)]
    _wait_for(lambda: _status(running, runs[0]) in ("STARTED", "SUCCESS", "FAILURE"))
    (server,) = _code_servers(running)
    server.kill()
    _wait_for(lambda: {_status(running, run_id) for run_id in runs} <= {"SUCCESS", "FAILURE", "CANCELED"})
    assert [_status(running, run_id) for run_id in runs] == ["SUCCESS", "SUCCESS"]
    assert "Started dagster-code again." in running.log.read_text()
    assert len(_code_servers(running)) == 1


@pytest.mark.timeout(400)
def test_kill_minus_9_leaves_nothing_running_and_the_next_start_has_its_ports(running: Running) -> None:
    family = _family(running)
    running.process.kill()
    running.process.wait()
    running.process = _started(running.environment, running.log)
    assert [child for child in family if child.is_running()] == []


def test_ctrl_c_stops_everything(running: Running) -> None:
    family = _family(running)
    assert len(family) >= 3, json.dumps([child.cmdline() for child in family])
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(40) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it ended between two looks
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_first_run_ends_with_what_started_it(tmp_path: Path, number: signal.Signals) -> None:
    ports = {"AION_PORT": str(_free_port()), "AION_DAGSTER_PORT": str(_free_port())}
    process = _starting(os.environ | ports | {"AION_HOME": str(tmp_path / "home")}, tmp_path / "up.log")
    family = psutil.Process(process.pid)
    _wait_for(lambda: any("run" in _command(child) for child in family.children()))
    started = family.children(recursive=True)
    process.send_signal(number)
    process.wait(30)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
