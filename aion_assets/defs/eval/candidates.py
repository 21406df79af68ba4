"""Measure candidate models beside those that serve."""

from collections.abc import Collection

import dagster as dg

from aion_assets.core.home import Home
from aion_assets.core.lake.code_version import source_version
from aion_assets.core.learn.reports import newest_report
from aion_assets.core.learn.trainings import GENERATOR, LEARNERS, last_trainings
from aion_assets.core.steps.candidate import CandidateReport, measure_candidate, report_kind, verdict_of
from aion_assets.core.steps.claims import Finding
from aion_assets.core.steps.generator_report import GeneratorReport, begin_report, finish_report
from aion_assets.defs.claims import claim
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized
from aion_assets.defs.training.assets import TRAIN_POOL, calibration, generator_adapter, ranker, retriever_adapter
from aion_assets.defs.training.process import run_trainer


@dg.asset(
    key=["eval", "retriever_report"],
    deps=[calibration, ranker, retriever_adapter],
    group_name="eval",
    kinds={"python"},
    owners=OWNERS,
    code_version=source_version(
        "aion_assets.core.steps.candidate", "aion_assets.core.learn.gate", "aion_assets.core.learn.click_evidence"
    ),
)
def retriever_report(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """The candidate against the models that serve, on the frozen golden questions, pair by pair."""
    report = measure_candidate(knowledge_base.home, knowledge_base.load_embedder_of, context.run.run_id)
    return _materialized(report)


@dg.asset_check(asset=retriever_report, blocking=True)
def candidate_is_better(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """The candidate is worse nowhere, and better somewhere beyond noise."""
    home = knowledge_base.home
    return claim(_found(home, [learner for learner in LEARNERS if learner != GENERATOR]))


@dg.asset(
    key=["eval", "generator_report"],
    deps=[generator_adapter],
    group_name="eval",
    kinds={"python"},
    owners=OWNERS,
    pool=TRAIN_POOL,
    code_version=source_version(
        "trainer.generator_report",
        "aion_assets.core.steps.generator_report",
        "aion_assets.core.learn.generator_cases",
        "aion_assets.core.learn.generator_gate",
    ),
)
def generator_report(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """The candidate against the model that writes, on questions that were held out and on hostile passages."""
    home = knowledge_base.home
    task = begin_report(home)
    report = finish_report(home, task, run_trainer(context, home, task), context.run.run_id)
    return _materialized(report)


@dg.asset_check(asset=generator_report, blocking=True)
def generator_is_better(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """The candidate writes worse nowhere, better somewhere beyond noise, and obeys no passage."""
    return claim(_found(knowledge_base.home, [GENERATOR]))


def _materialized(report: CandidateReport | GeneratorReport) -> Materialized:
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


def _found(home: Home, learners: Collection[str]) -> Finding:
    """What the gate says of the newest candidate of one of these learners."""
    training = next((item for item in last_trainings(home) if item.candidate and item.learner in learners), None)
    stored = newest_report(home, report_kind(training.learner), training.candidate) if training else None
    if training is None or stored is None:
        return Finding(False, "There is no report on a candidate.")
    verdict = verdict_of(home, training.learner, stored.body)
    return Finding(verdict.passes, verdict.says, verdict.figures())
