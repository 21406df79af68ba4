"""The figures of each day."""

import dagster as dg

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.learn.daily import Metric
from aion_assets.core.steps.daily_metrics import measure_daily
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized, progress_of
from aion_assets.defs.serving.interactions import interactions

# No home is older.
_FIRST_DAY = "2026-01-01"


def days(timezone: str) -> dg.DailyPartitionsDefinition:
    return dg.DailyPartitionsDefinition(_FIRST_DAY, timezone=timezone, end_offset=1)


def daily_metrics_asset(timezone: str) -> dg.AssetsDefinition:
    """`timezone`: the zone in which a day begins."""

    @dg.asset(
        key=["record", "daily_metrics"],
        deps=[interactions],
        partitions_def=days(timezone),
        group_name="record",
        kinds={"sql"},
        owners=OWNERS,
        code_version=source_version("aion_assets.core.learn.daily", "aion_assets.core.learn.measured"),
    )
    def daily_metrics(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
        """Quality, fallbacks, clicks, latency and cost of a day, each with its count and interval.

        A run of the day makes them anew, so that late events are absorbed. Golden questions are measured for today.
        """
        kb = knowledge_base
        day = context.partition_time_window.start.date()
        report = measure_daily(kb.home, day, kb.load_embedder_of, context.run.run_id, progress_of(context))
        figures = {name: round(item.value, 4) for name, item in report.metrics.items() if item.n}
        rows = "\n".join(_row(name, item) for name, item in sorted(report.metrics.items()) if item.n)
        table = f"| figure | value | n | interval |\n|---|---|---|---|\n{rows}" if rows else "nothing was recorded"
        return dg.MaterializeResult(
            metadata={"release_id": report.release_id, **figures, "table": dg.MetadataValue.md(table)},
            data_version=dg.DataVersion(report.digest),
        )

    return daily_metrics


def _row(name: str, item: Metric) -> str:
    interval = "" if item.low is None or item.high is None else f"{item.low:.4f} to {item.high:.4f}"
    return f"| {name} | {item.value:.4f} | {item.n} | {interval} |"
