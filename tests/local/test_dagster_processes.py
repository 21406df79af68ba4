from pathlib import Path

from dagster._core.workspace.load import location_origins_from_yaml_paths

from aion_assets.local.dagster_processes import dagster_home, write_workspace


def test_what_is_stored_of_sensors_and_runs_is_found_with_either_workspace(tmp_path: Path) -> None:
    written = write_workspace(tmp_path / "dagster" / "workspace.yaml", tmp_path / "with: a colon" / "code.sock")
    (origin,) = location_origins_from_yaml_paths([str(written)])
    (own,) = location_origins_from_yaml_paths([str(dagster_home().parent / "workspace.yaml")])
    assert origin.location_name == own.location_name
    assert origin.socket == str(tmp_path / "with: a colon" / "code.sock")
