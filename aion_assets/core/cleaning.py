"""Take the rows of removed sources out of every table."""

from aion_assets.core import sources
from aion_assets.core.database import Database
from aion_assets.core.lake import Lake, quoted
from aion_assets.core.settings import Settings
from aion_assets.core.steps.curated import heirs

_TABLES = ("chunks", "curated_documents", "documents", "pages")


def clean_removed_sources(lake: Lake, database: Database, settings: Settings) -> list[str]:
    """Ids of the sources cleaned. The index follows when it is next built; until then they are hidden from it.

    Sources that hold the same content become due, as theirs takes the place of what goes.
    """
    cleaned = sources.removed_sources(database, settings)
    for source_id in cleaned:
        of_source = f"source_id = {quoted(source_id)}"
        with lake.turn("curate"):
            primaries = lake.rows("curated_documents", ["doc_id"], f"{of_source} AND duplicate_of = ''")
            due = heirs(lake, source_id, [row["doc_id"] for row in primaries])
            with database.write() as connection:
                sources.bump_requested(connection, sorted(due))
            for table in _TABLES:
                lake.delete_where(table, of_source)
        sources.mark_cleaned(database, source_id)
    return cleaned
