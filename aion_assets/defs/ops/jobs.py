"""The jobs that people and sensors start."""

import dagster as dg

# A candidate is measured in the run that made it.
_to_release = dg.AssetSelection.groups("index", "serving") | dg.AssetSelection.assets(["eval", "retrieval_report"])
# All work on one source in one run: what it stores is released before it ends.
ingest = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.groups("corpus") | _to_release,
    description="Collect a source and carry it through to a release.",
    executor_def=dg.in_process_executor,
)
# The work after a decision, and after a run that was killed after collecting. Parsing parsed bodies again costs
# nothing.
_after_collecting = (dg.AssetSelection.groups("corpus") | _to_release) - dg.AssetSelection.assets(
    ["corpus", "crawled_pages"]
)
recurate = dg.define_asset_job(
    "recurate",
    selection=_after_collecting,
    description="Carry what was collected and decided through to a release.",
    executor_def=dg.in_process_executor,
)
# The same without index and release, for several sources in a row before one index build.
ingest_corpus = dg.define_asset_job(
    "ingest_corpus",
    selection=dg.AssetSelection.groups("corpus"),
    description="Collect a source and carry it through to vectors.",
    executor_def=dg.in_process_executor,
)
recurate_corpus = dg.define_asset_job(
    "recurate_corpus",
    selection=_after_collecting & dg.AssetSelection.groups("corpus"),
    description="Carry what was collected and decided through to vectors.",
    executor_def=dg.in_process_executor,
)
# The work without a source, after one was removed.
reindex = dg.define_asset_job(
    "reindex",
    selection=_to_release,
    description="Bring index and release up to the chunks.",
    executor_def=dg.in_process_executor,
)
# From what people did to a better release: gather, learn, measure, judge, release.
learn_ranker = dg.define_asset_job(
    "learn_ranker",
    selection=dg.AssetSelection.assets(
        ["training", "pair_dataset"],
        ["training", "ranker"],
        ["eval", "retriever_report"],
        ["serving", "release"],
        ["eval", "release_report"],
    ),
    description="Learn the order of candidates anew, and release it when it is better beyond noise.",
    executor_def=dg.in_process_executor,
)
learn_retriever_adapter = dg.define_asset_job(
    "learn_retriever_adapter",
    selection=dg.AssetSelection.assets(
        ["training", "pair_dataset"],
        ["training", "retriever_adapter"],
        ["eval", "retriever_report"],
        ["serving", "release"],
        ["eval", "release_report"],
    ),
    description="Train an adapter of the embedding model, and release it when more is found beyond noise.",
    executor_def=dg.in_process_executor,
)
learn_generator = dg.define_asset_job(
    "learn_generator",
    selection=dg.AssetSelection.assets(
        ["training", "sft_dataset"],
        ["training", "generator_adapter"],
        ["eval", "generator_report"],
        ["serving", "release"],
        ["eval", "release_report"],
    ),
    description="Gather what was answered, train an adapter on it, and release it when it writes better beyond noise.",
    executor_def=dg.in_process_executor,
)
measure_day = dg.define_asset_job(
    "measure_day",
    selection=dg.AssetSelection.assets(["record", "daily_metrics"]),
    description="Compute the figures of a day.",
    executor_def=dg.in_process_executor,
)
learn_calibration = dg.define_asset_job(
    "learn_calibration",
    selection=dg.AssetSelection.assets(
        ["training", "calibration"], ["eval", "retriever_report"], ["serving", "release"], ["eval", "release_report"]
    ),
    description="Fit the confidence anew, and release it when it is truer beyond noise.",
    executor_def=dg.in_process_executor,
)
LEARNING_JOBS = {
    "calibration": learn_calibration,
    "ranker": learn_ranker,
    "retriever_adapter": learn_retriever_adapter,
    "generator": learn_generator,
}


def outdated(instance: dg.DagsterInstance, job: dg.JobDefinition) -> bool:
    """Whether an asset of the job was last made by other code. One that was never made is not outdated."""
    current = {key: job.asset_layer.get(key).code_version for key in planned_assets(job)}
    made_by = instance.get_latest_materialization_code_versions(list(current))
    return any(version is not None and version != current[key] for key, version in made_by.items())


def planned_assets(job: dg.JobDefinition) -> list[dg.AssetKey]:
    """The assets that a run of the job makes. The run names them: `up_to_date` skips the updates that it handles."""
    return sorted(job.asset_layer.executable_asset_keys)
