"""Measure at every build how well the index retrieves."""

import dagster as dg

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.steps.retrieval_report import measure_retrieval
from aion_assets.defs.automation import up_to_date
from aion_assets.defs.index.assets import lance_index
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized


@dg.asset(
    key=["eval", "retrieval_report"],
    deps=[lance_index],
    group_name="eval",
    kinds={"python"},
    owners=OWNERS,
    code_version=source_version(
        "aion_assets.core.steps.retrieval_report",
        "aion_assets.core.learn",
        "aion_assets.core.search",
    ),
    automation_condition=up_to_date,
)
def retrieval_report(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """Fusion weight, recall and, where labelled queries exist, nDCG@10, MRR@10 and recall@10 of the index."""
    kb = knowledge_base
    report = measure_retrieval(kb.home, kb.embedding_model, kb.load_embedder, context.run.run_id)
    measured = {"index_table": report.index["table"], "index_version": int(report.index["version"])}
    metadata = measured | {"embedder": report.embedder_id, "report_id": report.report_id} | report.figures()
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(report.digest))
