"""Table of contents of the pipeline: everything that Dagster loads."""

import dagster as dg

from aion_assets.core.settings import load_settings
from aion_assets.defs.automation import RUN_TAGS
from aion_assets.defs.corpus import assets as corpus
from aion_assets.defs.corpus import checks as corpus_checks
from aion_assets.defs.eval import assets as evaluation
from aion_assets.defs.eval import candidates
from aion_assets.defs.index import assets as index
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.ops import alarms, compaction, jobs, retention, sensors
from aion_assets.defs.record import exports, reports
from aion_assets.defs.record.assets import daily_metrics_asset
from aion_assets.defs.serving import assets as serving
from aion_assets.defs.serving import interactions
from aion_assets.defs.serving import sensors as serving_sensors
from aion_assets.defs.training import assets as training
from aion_assets.defs.training import sensors as training_sensors

_timezone = load_settings().zone.key

defs = dg.Definitions(
    assets=[
        corpus.crawled_pages,
        corpus.parsed_documents,
        corpus.curated_documents,
        corpus.chunks,
        corpus.embeddings,
        index.lance_index,
        evaluation.retrieval_report,
        serving.release,
        interactions.chat_api,
        interactions.interactions,
        daily_metrics_asset(_timezone),
        exports.exports_asset(_timezone),
        reports.day_report_asset(_timezone),
        reports.release_report,
        training.pair_dataset,
        training.calibration,
        training.ranker,
        training.retriever_adapter,
        training.sft_dataset,
        training.generator_adapter,
        candidates.retriever_report,
        candidates.generator_report,
    ],
    asset_checks=[
        corpus_checks.most_locations_answered,
        corpus_checks.every_stored_page_has_an_outcome,
        corpus_checks.chunk_ids_are_unique,
        corpus_checks.no_chunk_is_truncated,
        corpus_checks.every_chunk_is_embedded,
        index.index_holds_every_chunk,
        index.index_recall_is_high,
        serving.current_release_is_readable,
        training.no_golden_document_is_learned,
        training.clicks_follow_the_texts,
        candidates.candidate_is_better,
        candidates.generator_is_better,
    ],
    jobs=[
        jobs.ingest,
        jobs.recurate,
        jobs.ingest_corpus,
        jobs.recurate_corpus,
        jobs.reindex,
        jobs.learn_calibration,
        jobs.learn_ranker,
        jobs.learn_retriever_adapter,
        jobs.learn_generator,
        jobs.measure_day,
        exports.export_day,
        reports.report_day_job,
        reports.report_release_job,
        retention.old_runs_pruned,
        compaction.tables_compacted,
    ],
    # The one setting that Dagster asks for when it loads the definitions.
    schedules=[
        retention.nightly(_timezone),
        compaction.nightly_compaction(_timezone),
        exports.daily_exports(_timezone),
    ],
    sensors=[
        sensors.source_due,
        sensors.curation_decided,
        sensors.source_removed,
        sensors.uploads,
        sensors.zombie_reaper,
        sensors.run_failure,
        alarms.alarms,
        reports.reports_due,
        serving_sensors.interactions_recorded,
        training_sensors.quality_drop_sensor,
        training_sensors.operator_command_sensor,
        training_sensors.release_regression_sensor,
        dg.AutomationConditionSensorDefinition(
            "automation",
            target=dg.AssetSelection.all(),
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=15,
            run_tags=RUN_TAGS,
            description="Brings every asset up to date whose input or code asks for it, or that is missing.",
        ),
    ],
    resources={"knowledge_base": KnowledgeBaseResource()},
    executor=dg.in_process_executor,
)
