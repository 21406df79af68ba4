"""Claims about the corpus. Blocking ones keep wrong rows out of the index."""

import dagster as dg

from aion_assets.core.steps import claims
from aion_assets.defs.claims import claim
from aion_assets.defs.corpus.assets import chunks, crawled_pages, embeddings, parsed_documents
from aion_assets.defs.knowledge_base import KnowledgeBaseResource


def _source_of(context: dg.AssetCheckExecutionContext) -> str:
    """The source of this run, because parallel runs may have others half done. "" for a run over all sources."""
    return context.partition_key if context.has_partition_key else ""


@dg.asset_check(asset=crawled_pages)
def most_locations_answered(
    context: dg.AssetCheckExecutionContext, knowledge_base: KnowledgeBaseResource
) -> dg.AssetCheckResult:
    """At most a tenth of the locations of a source failed to answer."""
    return claim(claims.most_locations_answered(knowledge_base.lake, _source_of(context)))


@dg.asset_check(asset=parsed_documents)
def every_stored_page_has_an_outcome(
    context: dg.AssetCheckExecutionContext, knowledge_base: KnowledgeBaseResource
) -> dg.AssetCheckResult:
    """Every stored body is a document or is quarantined with a reason."""
    return claim(claims.every_stored_page_has_an_outcome(knowledge_base.lake, _source_of(context)))


@dg.asset_check(asset=chunks, blocking=True)
def chunk_ids_are_unique(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """No two chunks share an id."""
    return claim(claims.chunk_ids_are_unique(knowledge_base.lake))


@dg.asset_check(asset=chunks, blocking=True)
def no_chunk_is_truncated(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """Every chunk fits the embedder's token window."""
    kb = knowledge_base
    return claim(claims.no_chunk_is_truncated(kb.lake, kb.embedding_model))


@dg.asset_check(asset=embeddings, blocking=True)
def every_chunk_is_embedded(
    context: dg.AssetCheckExecutionContext, knowledge_base: KnowledgeBaseResource
) -> dg.AssetCheckResult:
    """Every chunk's text has a vector of length 1."""
    kb = knowledge_base
    return claim(claims.every_chunk_is_embedded(kb.lake, kb.embedding_model.embedder_id, _source_of(context)))
