"""Take the rows of removed sources out of every table."""

from aion_assets.core import sources
from aion_assets.core.database import Database
from aion_assets.core.lake import Lake, quoted
from aion_assets.core.settings import Settings

_TABLES = ("chunks", "curated_documents", "documents", "pages")


def clean_removed_sources(lake: Lake, database: Database, settings: Settings) -> list[str]:
    """Ids of the sources cleaned. The index follows when it is next built; until then they are hidden from it."""
    cleaned = sources.removed_sources(database, settings)
    for source_id in cleaned:
        for table in _TABLES:
            lake.delete_where(table, f"source_id = {quoted(source_id)}")
        sources.mark_cleaned(database, source_id)
    return cleaned
