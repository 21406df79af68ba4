"""Where Dagster stores its records: in the home, or in PostgreSQL when `AION_DAGSTER_DB` is set.

One dagster.yaml names these classes, so the same file serves both databases and every home.
"""

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from filelock import FileLock, Timeout

from aion_assets.core.errors import AionError
from aion_assets.core.settings import load_settings

# LocalArtifactStorage, LocalComputeLogManager and DagsterSqliteStorage have no public import path. dagster.yaml names
# them by these modules, too.


def _folder(name: str) -> str:
    folder = load_settings().home / "dagster" / name
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


@cache
def _refuse_second_daemon() -> FileLock | None:
    """In a Dagster daemon, however it was started, hold this home's lock until the process ends.

    Raises AionError: another daemon holds it. Two daemons would start every run twice, and Dagster only logs that.
    """
    program = Path(sys.argv[0])
    is_daemon = program.name.startswith("dagster-daemon") or program.parent.name == "_daemon"
    if not is_daemon or sys.argv[1:2] != ["run"]:
        return None
    lock = FileLock(Path(_folder("")) / ".daemon.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AionError(
            f"A Dagster daemon works on {load_settings().home} already.", "Stop that one, or set another AION_HOME."
        ) from None
    return lock


class HomeStorage(DagsterSqliteStorage):
    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Any:
        _refuse_second_daemon()
        # With this variable Dagster never sees a partition in progress or failed, and automation repeats the work of
        # runs.
        os.environ.pop("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", None)
        url = load_settings().dagster_db
        if url:
            from dagster_postgres import DagsterPostgresStorage

            # The short scheme, which SQLAlchemy does not accept.
            url = url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url
            return DagsterPostgresStorage(url, inst_data=inst_data)
        return DagsterSqliteStorage(_folder("storage"), inst_data=inst_data)


class HomeArtifacts(LocalArtifactStorage):
    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Any:
        return LocalArtifactStorage(_folder("artifacts"), inst_data)


class HomeComputeLogs(LocalComputeLogManager):
    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Any:
        return LocalComputeLogManager(_folder("logs"), inst_data=inst_data)
