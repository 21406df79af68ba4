"""Where Dagster keeps its own records: beside AION's, in the home, or in PostgreSQL when `AION_DAGSTER_DB` is set.

One dagster.yaml names these classes, so that the same file serves both databases and every home.
"""

from collections.abc import Mapping
from typing import Any

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from aion_assets.core.settings import load_settings

# LocalArtifactStorage, LocalComputeLogManager and DagsterSqliteStorage have no public import path; dagster.yaml itself
# names them by these modules.


def _folder(name: str) -> str:
    folder = load_settings().home / "dagster" / name
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


class HomeStorage(DagsterSqliteStorage):
    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Any:
        url = load_settings().dagster_db
        if url:
            from dagster_postgres import DagsterPostgresStorage

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
