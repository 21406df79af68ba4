"""The real Dagster of one home, in the processes of `aion up`, spoken to as its pages do: GraphQL over HTTP."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from aion_assets.local.dagster_processes import (
    code_server_command,
    daemon_command,
    webserver_command,
    write_workspace,
)

REPOSITORY = Path(__file__).resolve().parents[1]
WORKSPACE = str(REPOSITORY / "workspace.yaml")
_SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": "aion_assets.definitions"}


class DagsterServer:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer's data; where it has one field, that field. Fails on an error of the query."""
        body = {"query": query, "variables": variables}
        headers = {"Origin": self.url}  # as its own pages send it
        answer = httpx.post(f"{self.url}/graphql", json=body, headers=headers, timeout=60.0, trust_env=False).json()
        assert "errors" not in answer, answer["errors"]
        fields = list(answer["data"].values())
        return fields[0] if len(fields) == 1 else answer["data"]

    def launch(self, job: str, partition: str = "", **tags: str) -> str:
        """Id of the run."""
        wanted = ({"dagster/partition": partition} if partition else {}) | tags
        result = self.ask(
            """mutation ($parameters: ExecutionParams!) { launchRun(executionParams: $parameters) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            parameters={
                "selector": _SELECTOR | {"jobName": job},
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in wanted.items()]},
            },
        )
        assert result["__typename"] == "LaunchRunSuccess", result
        return str(result["run"]["runId"])

    def status(self, run_id: str) -> str:
        run = self.ask("query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)
        return str(run["status"])

    def terminate(self, run_id: str) -> None:
        result = self.ask("mutation ($id: String!) { terminateRun(runId: $id) { __typename } }", id=run_id)
        assert result["__typename"] == "TerminateRunSuccess", result

    def wait(self, run_id: str, *wanted: str, timeout_s: float = 90.0) -> str:
        ended = {"SUCCESS", "FAILURE", "CANCELED"}
        wait_for(lambda: self.status(run_id) in (set(wanted) or ended), f"run {run_id} to end", timeout_s)
        return self.status(run_id)

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        """The runs with these tags of Dagster's own."""
        filters = {"tags": [{"key": f"dagster/{key}", "value": value} for key, value in tags.items()]}
        found = self.ask(
            """query ($filter: RunsFilter) { runsOrError(filter: $filter, limit: 500) { ... on Runs { results {
                 runId status jobName tags { key value } } } } }""",
            filter=filters,
        )
        return list(found["results"])

    def backfill(self, assets: list[list[str]], partitions: list[str]) -> str:
        """Id of the backfill."""
        result = self.ask(
            """mutation ($parameters: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $parameters) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            parameters={"assetSelection": [{"path": path} for path in assets], "partitionNames": partitions},
        )
        assert result["__typename"] == "LaunchBackfillSuccess", result
        return str(result["backfillId"])


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s for {what}"
        time.sleep(0.25)


@contextmanager
def dagster_server(environment: Mapping[str, str], logs: Path) -> Iterator[DagsterServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = logs / "code.sock"
    workspace = write_workspace(logs / "workspace.yaml", code)
    children = [start([sys.executable, *code_server_command(code)], environment, logs / "code.log")]
    server = DagsterServer(f"http://127.0.0.1:{port}")
    try:
        wait_for(code.exists, f"the code server; see {logs}", 90.0)
        for name, command in (
            ("webserver", webserver_command(workspace, "127.0.0.1", port)),
            ("daemon", daemon_command(workspace)),
        ):
            children.append(start([sys.executable, *command], environment, logs / f"{name}.log"))
        wait_for(lambda: _answers(server), f"the webserver; see {logs}", 90.0)
        yield server
    finally:
        for child in children:
            os.killpg(child.pid, signal.SIGTERM)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def start(command: list[str], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_end_with_parent,
            env={**os.environ, **environment},
        )


def _end_with_parent() -> None:
    """A test run that is killed leaves nothing behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _answers(server: DagsterServer) -> bool:
    try:
        return httpx.get(f"{server.url}/server_info", timeout=2.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
