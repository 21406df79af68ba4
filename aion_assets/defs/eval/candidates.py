"""Measure candidate models beside those that serve."""

import dagster as dg

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.learn.reports import CANDIDATE, newest_report
from aion_assets.core.learn.trainings import last_trainings
from aion_assets.core.release.releases import current_release
from aion_assets.core.steps.candidate import measure_candidate, verdict_of
from aion_assets.core.steps.claims import Finding
from aion_assets.defs.claims import claim
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized
from aion_assets.defs.training.assets import calibration, ranker


@dg.asset(
    key=["eval", "retriever_report"],
    deps=[calibration, ranker],
    group_name="eval",
    kinds={"python"},
    owners=OWNERS,
    code_version=source_version("aion_assets.core.steps.candidate", "aion_assets.core.learn.gate"),
)
def retriever_report(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """The candidate against the models that serve, on the frozen golden questions, pair by pair."""
    kb = knowledge_base
    embedder = kb.load_embedder_of(current_release(kb.database, kb.settings.tenant_id).models)
    report = measure_candidate(kb.home, embedder, context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "training_id": report.training.training_id,
            "candidate": report.training.candidate,
            "report_id": report.report_id,
            "passes": report.verdict.passes,
            "verdict": report.verdict.says,
            **{f"before/{name}": value for name, value in report.before.items()},
            **{f"after/{name}": value for name, value in report.after.items()},
            **{f"gain/{name}": value for name, value in report.verdict.figures().items()},
        },
        data_version=dg.DataVersion(report.report_id),
    )


@dg.asset_check(asset=retriever_report, blocking=True)
def candidate_is_better(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """The candidate is worse nowhere, and better somewhere beyond noise."""
    home = knowledge_base.home
    candidate = next((item.candidate for item in last_trainings(home) if item.candidate), "")
    stored = newest_report(home, CANDIDATE, candidate)
    if stored is None:
        return claim(Finding(False, "There is no report on a candidate."))
    verdict = verdict_of(home, stored.body)
    return claim(Finding(verdict.passes, verdict.says, verdict.figures()))
