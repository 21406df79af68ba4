from datetime import timedelta
from pathlib import Path

import dagster as dg
from pipeline import Pipeline

from aion_assets.definitions import defs
from aion_assets.defs.ops.retention import prune_runs


def run_ids(pipeline: Pipeline) -> set[str]:
    return {run.run_id for run in pipeline.instance.get_runs()}


def test_old_runs_go_and_the_newest_state_of_every_partition_stays(filled: Pipeline, home: Path) -> None:
    (before,) = run_ids(filled)
    other = filled.add_source(_folder(home), name="other")
    of_other = filled.run("ingest_corpus", source_id=other).run_id
    newest = filled.run().run_id

    assert prune_runs(filled.instance, timedelta(days=1)) == 0
    result = defs.resolve_job_def("old_runs_pruned").execute_in_process(
        instance=filled.instance, run_config={"ops": {"old_runs": {"config": {"kept_days": 0.0}}}}
    )
    assert run_ids(filled) == {of_other, newest, result.run_id}
    assert [file for file in (home / "dagster").rglob("*") if before in file.name] == []

    chunks = dg.AssetKey(["corpus", "chunks"])
    assert filled.instance.get_materialized_partitions(chunks) == {filled.source_id, other}
    assert dg.evaluate_automation_conditions(defs, filled.instance, dg.AssetSelection.all()).total_requested == 0


def _folder(home: Path) -> Path:
    folder = home.parent / "other"
    folder.mkdir()
    (folder / "outro.md").write_text("# Outro\n\nUma pasta a mais.\n", "utf-8")
    return folder
