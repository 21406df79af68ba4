"""The one index over all sources, and the claims about it."""

import dagster as dg

from aion_assets.core.lake.code_version import source_version
from aion_assets.core.lake.tables import knowledge_name, knowledge_table
from aion_assets.core.sources.tombstones import read_hidden
from aion_assets.core.steps import claims
from aion_assets.core.steps.cleaning import clean_removed_sources
from aion_assets.core.steps.knowledge import build_index
from aion_assets.defs.automation import up_to_date
from aion_assets.defs.claims import claim
from aion_assets.defs.corpus.assets import BUNDLED_DIMENSION, embeddings
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized, materialize, progress_of
from aion_assets.defs.tables import table_definition


@dg.asset(
    key=["index", "lance_index"],
    deps=[dg.AssetDep(embeddings, partition_mapping=dg.AllPartitionMapping())],
    group_name="index",
    kinds={"lance"},
    owners=OWNERS,
    metadata=table_definition(knowledge_table("", BUNDLED_DIMENSION)),
    code_version=source_version(
        "aion_assets.core.steps.knowledge",
        "aion_assets.core.index.contents",
        "aion_assets.core.index.structures",
        "aion_assets.core.index.analysis",
        "aion_assets.core.language.lemmas",
    ),
    automation_condition=up_to_date,
)
def lance_index(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """Vectors, full text in Portuguese and English, and filters, over the chunks of all sources."""
    kb, model = knowledge_base, knowledge_base.embedding_model
    report = build_index(kb.home, model.embedder_id, model.dimension, progress_of(context))
    # Clean after the index, so that a run that is killed in between leaves the sources to be cleaned.
    report.counts["cleaned_sources"] = len(clean_removed_sources(kb.home))
    return materialize(report, kb.uri(knowledge_name(model.embedder_id)))


@dg.asset_check(asset=lance_index, blocking=True)
def index_holds_every_chunk(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """The index has exactly the rows of the chunks, in their newest version."""
    kb = knowledge_base
    removed = read_hidden(kb.database, kb.settings.tenant_id).source_ids
    found = claims.index_holds_every_chunk(kb.lake, kb.embedding_model.embedder_id, removed)
    return claim(found)


@dg.asset_check(asset=lance_index, blocking=True)
def index_recall_is_high(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """Approximate search finds at least 98 % of what exact search finds."""
    return claim(claims.index_recall_is_high(knowledge_base.lake, knowledge_base.embedding_model.embedder_id))
