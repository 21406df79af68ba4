"""Delete old versions of the tables, and record the size of each table."""

import dagster as dg

from aion_assets.core.lake.compaction import CompactedTable, compact_lake
from aion_assets.defs.corpus.assets import chunks, crawled_pages, curated_documents, embeddings, parsed_documents
from aion_assets.defs.index.assets import lance_index
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.training.assets import sft_dataset

_ASSETS = {
    "pages": crawled_pages,
    "bodies": crawled_pages,
    "documents": parsed_documents,
    "curated_documents": curated_documents,
    "chunks": chunks,
    "embeddings": embeddings,
    "knowledge": lance_index,
    "sft_rows": sft_dataset,
}


@dg.op
def all_tables(context: dg.OpExecutionContext, knowledge_base: KnowledgeBaseResource) -> None:
    """Compacts one table after another, and observes of each asset the size of its tables."""
    tables: dict[dg.AssetKey, list[CompactedTable]] = {}
    for table in compact_lake(knowledge_base.lake):
        context.log.info(f"{table.name}: {table.before_bytes} bytes, now {table.after_bytes}")
        if table.kind in _ASSETS:
            tables.setdefault(_ASSETS[table.kind].key, []).append(table)
    for key, some in tables.items():
        size = sum(table.after_bytes for table in some)
        freed = sum(table.before_bytes for table in some) - size
        names = ", ".join(f"lake.{table.name}" for table in some)
        context.log_event(
            dg.AssetObservation(key, metadata={"size_bytes": size, "freed_bytes": freed, "tables": names})
        )


@dg.job(executor_def=dg.in_process_executor)
def tables_compacted() -> None:
    """Merge small files of the tables and delete versions that neither a release nor a reader needs."""
    all_tables()


def nightly_compaction(timezone: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name="nightly_compaction",
        job=tables_compacted,
        cron_schedule="0 4 * * *",
        execution_timezone=timezone,
        description="Gives back the room of old versions of the tables.",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
