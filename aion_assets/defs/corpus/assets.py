"""From a source to vectors: five tables, each with one partition a source."""

import dagster as dg

from aion_assets.core.index.analysis import analysis_version
from aion_assets.core.lake.code_version import source_version
from aion_assets.core.lake.tables import CHUNKS, CURATED_DOCUMENTS, DOCUMENTS, PAGES, embeddings_name, embeddings_table
from aion_assets.core.sources.store import mark_pipeline
from aion_assets.core.steps.chunks import chunk_source
from aion_assets.core.steps.curated import curate_source
from aion_assets.core.steps.documents import parse_source
from aion_assets.core.steps.embeddings import embed_source
from aion_assets.core.steps.pages import collect_source
from aion_assets.defs.automation import source_up_to_date
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.partitions import source_partitions
from aion_assets.defs.reporting import OWNERS, Materialized, materialize
from aion_assets.defs.tables import table_definition

PARSE_VERSION = source_version(
    "aion_assets.core.parse",
    "aion_assets.core.fetch.file_types",
    "aion_assets.core.language.fields",
    "aion_assets.core.language.identify",
    "aion_assets.core.curate.near_duplicates",
    "aion_assets.core.curate.quality",
    "aion_assets.core.steps.documents",
)
CHUNK_VERSION = source_version(
    "aion_assets.core.index.chunker",
    "aion_assets.core.language.provisions",
    "aion_assets.core.language.sentences",
    "aion_assets.core.steps.chunks",
)
BUNDLED_DIMENSION = 384


def pipeline_version(kb: KnowledgeBaseResource) -> str:
    """Version of the code and the embedder that decide what corpus and index hold of a source."""
    return f"{PARSE_VERSION}/{CHUNK_VERSION}/{analysis_version()}/{kb.embedding_model.embedder_id}"


@dg.asset(
    key=["corpus", "crawled_pages"],
    group_name="corpus",
    partitions_def=source_partitions,
    kinds={"scrapy", "lance"},
    owners=OWNERS,
    metadata=table_definition(PAGES),
    code_version=source_version("aion_assets.core.collect", "aion_assets.core.fetch", "aion_assets.core.steps.pages"),
)
def crawled_pages(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """Every location of the source with its newest outcome and its last good body."""
    kb = knowledge_base
    report = collect_source(kb.source_run(context))
    return materialize(report, kb.uri(PAGES.name), kind=kb.source(context).kind)


@dg.asset(
    key=["corpus", "parsed_documents"],
    deps=[crawled_pages],
    group_name="corpus",
    partitions_def=source_partitions,
    kinds={"python", "lance"},
    owners=OWNERS,
    metadata=table_definition(DOCUMENTS),
    code_version=PARSE_VERSION,
    automation_condition=source_up_to_date,
)
def parsed_documents(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """The text of every body with its headings and pages, or the reason why there is none."""
    kb = knowledge_base
    report = parse_source(kb.source_run(context), PARSE_VERSION)
    return materialize(report, kb.uri(DOCUMENTS.name))


@dg.asset(
    key=["corpus", "curated_documents"],
    deps=[parsed_documents],
    group_name="corpus",
    partitions_def=source_partitions,
    kinds={"python", "lance"},
    owners=OWNERS,
    metadata=table_definition(CURATED_DOCUMENTS),
    code_version=source_version("aion_assets.core.steps.curated", "aion_assets.core.curate.decisions"),
    automation_condition=source_up_to_date,
)
def curated_documents(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """What was approved, by whom, and which of it repeats something else."""
    kb = knowledge_base
    report = curate_source(kb.source_run(context))
    waiting = kb.page(f"/curation/pending?source={context.partition_key}")
    return materialize(report, kb.uri(CURATED_DOCUMENTS.name), waiting=waiting)


@dg.asset(
    key=["corpus", "chunks"],
    deps=[curated_documents],
    group_name="corpus",
    partitions_def=source_partitions,
    kinds={"python", "lance"},
    owners=OWNERS,
    metadata=table_definition(CHUNKS),
    code_version=CHUNK_VERSION,
    automation_condition=source_up_to_date,
)
def chunks(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """Approved primaries, cut so that the embedder reads every chunk whole."""
    kb = knowledge_base
    report = chunk_source(kb.source_run(context), kb.embedding_model, CHUNK_VERSION)
    return materialize(report, kb.uri(CHUNKS.name))


@dg.asset(
    key=["corpus", "embeddings"],
    deps=[chunks],
    group_name="corpus",
    partitions_def=source_partitions,
    kinds={"openvino", "lance"},
    owners=OWNERS,
    metadata=table_definition(embeddings_table("", BUNDLED_DIMENSION)),
    code_version=source_version("trainer.embedder", "trainer.bert"),
    automation_condition=source_up_to_date,
)
def embeddings(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Materialized:
    """One vector for every distinct text; a text that any source had before costs nothing."""
    kb = knowledge_base
    embedder_id = kb.embedding_model.embedder_id
    report = embed_source(kb.source_run(context), embedder_id, kb.load_embedder)
    mark_pipeline(kb.database, context.partition_key, pipeline_version(kb))
    return materialize(report, kb.uri(embeddings_name(embedder_id)), embedder=embedder_id)
