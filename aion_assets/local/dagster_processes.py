"""Dagster's processes beside the server: one code server that loads the pipeline, and the webserver and the daemon.

These two ask the code server, and it starts the processes of the runs. Left to themselves, each starts one of its own.
"""

import json
from pathlib import Path

# What Dagster calls the entry of workspace.yaml: the state of sensors and the runs are stored under this name.
_LOCATION = "aion_assets.definitions"


def dagster_home() -> Path:
    return Path(__file__).resolve().parents[2] / "dagster_home"


def code_server_command(socket: Path) -> list[str]:
    """What follows `python`: the options that Dagster gives to a code server of its own, but two.

    It needs no heartbeat, as the supervisor ends it. It has no fixed id: a new one tells the webserver and the daemon
    that it was started again.
    """
    return [
        "-m", "dagster", "api", "grpc", "--socket", str(socket), "-m", _LOCATION, "--location-name", _LOCATION,
        "--empty-working-directory", "--use-python-environment-entry-point", "--inject-env-vars-from-instance",
        "--log-level", "warning",
    ]  # fmt: skip


def webserver_command(workspace: Path, host: str, port: int) -> list[str]:
    """Dagster's webserver behind AION's guard."""
    return ["-m", "aion_assets.local.webserver", "--workspace", str(workspace), "--host", host, "--port", str(port)]


def daemon_command(workspace: Path) -> list[str]:
    return ["-m", "dagster._daemon", "run", "-w", str(workspace), "--log-level", "warning"]


def write_workspace(file: Path, socket: Path) -> Path:
    """In place of workspace.yaml, which is for a Dagster that starts its code server itself."""
    server = {"socket": str(socket), "location_name": _LOCATION}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"load_from": [{"grpc_server": server}]}), "utf-8")  # JSON is YAML, too
    return file
