"""The release."""

import dagster as dg

from aion_assets.core.errors import AionError
from aion_assets.core.lake.code_version import source_version
from aion_assets.core.release.releases import current_release
from aion_assets.core.steps.release import release_index
from aion_assets.defs.automation import up_to_date, without
from aion_assets.defs.claims import Claim
from aion_assets.defs.eval.assets import retrieval_report
from aion_assets.defs.eval.candidates import generator_report, retriever_report
from aion_assets.defs.index.assets import lance_index
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized


@dg.asset(
    key=["serving", "release"],
    deps=[lance_index, retrieval_report, retriever_report, generator_report],
    group_name="serving",
    kinds={"lance", "sql"},
    owners=OWNERS,
    code_version=source_version(
        "aion_assets.core.steps.release",
        "aion_assets.core.steps.gates",
        "aion_assets.core.release",
        "aion_assets.core.answer.confidence",
        "aion_assets.core.answer:builtin_calibration.json",
        "aion_assets.core.answer:builtin_calibration_e5.json",
        "aion_assets.core.search",
    ),
    # A candidate that was blocked, or that never was, keeps no content from being released.
    automation_condition=without(up_to_date, retriever_report, generator_report),
)
def release(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """The manifest that the server reads, written after its gates hold."""
    kb = knowledge_base
    report = release_index(kb.home, kb.embedding_model, context.run.run_id)
    index = report.release.index
    return dg.MaterializeResult(
        metadata={
            "release_id": report.release_id,
            "model_release_id": report.release.model_release_id,
            "published": report.published,
            "waits_for": report.waits_for or "nothing",
            "retired": report.retired,
            "dagster/row_count": int(index["rows"]),
            "index_version": int(index["version"]),
            "chat": kb.page("/"),
        },
        data_version=dg.DataVersion(report.release_id),
    )


@dg.asset_check(asset=release)
def current_release_is_readable(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """The current release's index version opens and has the rows that its manifest says."""
    kb = knowledge_base
    try:
        current = current_release(kb.database, kb.settings.tenant_id)
        table = kb.lake.table_at(current.table, current.tag)
        rows = table.count_rows()
    except AionError as error:
        return Claim(passed=False, description=str(error))
    return Claim(passed=rows == current.index["rows"], metadata={"rows": rows})
