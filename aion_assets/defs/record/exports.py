"""The files of each day that others read: events, and rows to train a generator on."""

from datetime import timedelta

import dagster as dg

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.learn.export import write_exports
from aion_assets.core.learn.watch import today_of
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.record.assets import days
from aion_assets.defs.reporting import OWNERS, Materialized
from aion_assets.defs.serving.interactions import interactions


def exports_asset(timezone: str) -> dg.AssetsDefinition:
    """`timezone`: the zone in which a day begins."""

    @dg.asset(
        key=["record", "exports"],
        deps=[interactions],
        partitions_def=days(timezone),
        group_name="record",
        kinds={"file"},
        owners=OWNERS,
        code_version=source_version("aion_assets.core.learn.export"),
    )
    def exports(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
        """Events of the day, and training rows as of now, as JSON lines in the home; old files are deleted.

        A run of the day writes it anew, so that late events are absorbed.
        """
        home, day = knowledge_base.home, context.partition_time_window.start.date()
        written = write_exports(home, day, home.settings.export_days)
        counts = {"events": written.events, "sft_rows": written.sft_rows, "deleted": written.deleted}
        return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(str(written.folder)), **counts})

    return exports


export_day = dg.define_asset_job(
    "export_day",
    selection=dg.AssetSelection.assets(["record", "exports"]),
    description="Write the events and training rows of a day as files.",
    executor_def=dg.in_process_executor,
)


def daily_exports(timezone: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="daily_exports",
        job=export_day,
        cron_schedule="20 0 * * *",
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Writes the files of the day that ended.",
    )
    def schedule(context: dg.ScheduleEvaluationContext, knowledge_base: KnowledgeBaseResource):  # type: ignore[no-untyped-def]
        home = knowledge_base.home
        if home.settings.export_days == 0:
            return dg.SkipReason("AION_EXPORT_DAYS is 0.")
        day = (today_of(home) - timedelta(days=1)).isoformat()
        return dg.RunRequest(run_key=day, partition_key=day)

    return schedule
