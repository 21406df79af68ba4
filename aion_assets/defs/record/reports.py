"""The reports that people read: one of each day, one of each release. Their texts are on AION's pages."""

from datetime import timedelta
from typing import Any

import dagster as dg

from aion_assets.core.database.engine import now
from aion_assets.core.lake.code_version import source_version
from aion_assets.core.learn.daily import bounds_of
from aion_assets.core.learn.watch import today_of
from aion_assets.core.release.models import serving_release
from aion_assets.core.release.releases import first_release_at
from aion_assets.core.steps.quality_report import QualityReport, report_day, report_release
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.record.assets import days
from aion_assets.defs.reporting import OWNERS, Materialized
from aion_assets.defs.serving.assets import release

_LOOK_S = 60
# A release that serves for a shorter time is one of many while documents are being approved. What was learned is
# reported in the run that learned it.
_SETTLED_AFTER = timedelta(minutes=5)
_CODE = ("aion_assets.core.steps.quality_report", "aion_assets.core.learn.told", "aion_assets.core.learn.drift")


def day_report_asset(timezone: str) -> dg.AssetsDefinition:
    """`timezone`: the zone in which a day begins."""

    @dg.asset(
        key=["record", "day_report"],
        deps=[["record", "daily_metrics"]],
        partitions_def=days(timezone),
        group_name="record",
        kinds={"sql"},
        owners=OWNERS,
        code_version=source_version(*_CODE),
    )
    def day_report(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
        """How well AION did on a day, for people: a page of AION, and the same as JSON."""
        kb, day = knowledge_base, context.partition_time_window.start.date()
        return _told(kb, report_day(kb.home, day, kb.load_embedder_of, context.run.run_id))

    return day_report


@dg.asset(
    key=["eval", "release_report"],
    deps=[release],
    group_name="eval",
    kinds={"sql"},
    owners=OWNERS,
    output_required=False,
    code_version=source_version(*_CODE),
)
def release_report(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource):  # type: ignore[no-untyped-def]
    """How well the release that serves does against the one before it, for people: a page of AION, and JSON."""
    made = report_release(knowledge_base.home, knowledge_base.load_embedder_of, context.run.run_id)
    if made is not None:
        yield _told(knowledge_base, made)


def _told(kb: KnowledgeBaseResource, made: QualityReport) -> Materialized:
    metadata: dict[str, Any] = {
        "report": kb.page(f"/reports/{made.kind}/{made.subject}"),
        "json": kb.page(f"/api/reports/{made.kind}/{made.subject}"),
        **made.figures(),
    }
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(made.report_id))


report_day_job = dg.define_asset_job(
    "report_day",
    selection=dg.AssetSelection.assets(["record", "day_report"]),
    description="Make the report of a day.",
    executor_def=dg.in_process_executor,
)
report_release_job = dg.define_asset_job(
    "report_release",
    selection=dg.AssetSelection.assets(["eval", "release_report"]),
    description="Make the report of the release that serves.",
    executor_def=dg.in_process_executor,
)


@dg.sensor(
    jobs=[report_day_job, report_release_job],
    minimum_interval_seconds=_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has the day that ended reported, and the release that serves: soon after it began, and every day.",
)
def reports_due(
    context: dg.SensorEvaluationContext, knowledge_base: KnowledgeBaseResource
) -> dg.SensorResult | dg.SkipReason:
    home = knowledge_base.home
    serving, today = serving_release(home), today_of(home)
    if serving is None:
        return dg.SkipReason("Nothing has been released yet.")
    wanted = []
    if bounds_of(home, today)[0] > first_release_at(home.database, home.tenant_id):
        day = (today - timedelta(days=1)).isoformat()
        wanted.append(dg.RunRequest(run_key=f"day/{day}", job_name=report_day_job.name, partition_key=day))
    if now() - serving.created_at > _SETTLED_AFTER:
        key = f"release/{serving.release_id[:16]}/{today}"
        wanted.append(dg.RunRequest(run_key=key, job_name=report_release_job.name))
    return dg.SensorResult(wanted) if wanted else dg.SkipReason("No day has ended, and the release is new.")
