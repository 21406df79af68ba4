"""Take the rows of removed sources out of every table."""

from aion_assets.core import sources
from aion_assets.core.database import Database
from aion_assets.core.lake import Lake, quoted
from aion_assets.core.settings import Settings
from aion_assets.core.steps.curated import heirs

# Whose turns belong to one source.
_STEPS = ("collect", "parse", "chunk", "embed")
_TABLES = ("chunks", "curated_documents", "documents", "bodies", "pages")


def clean_removed_sources(lake: Lake, database: Database, settings: Settings) -> list[str]:
    """Ids of the sources cleaned. The index follows when it is next built; until then they are hidden from it.

    Sources that hold the same content become due, as theirs takes the place of what goes. A source that a run is
    working on is left for later: no step begins with it any more.
    """
    cleaned = []
    for source_id in sources.removed_sources(database, settings):
        with lake.turns_if_free(*(f"{step}-{source_id}" for step in _STEPS)) as free:
            if free:
                _clean(lake, database, source_id)
                cleaned.append(source_id)
    return cleaned


def _clean(lake: Lake, database: Database, source_id: str) -> None:
    of_source = f"source_id = {quoted(source_id)}"
    with lake.turn("curate"):
        # Duplicates, too: one that was a primary before may be repeated elsewhere, where nobody looked again since.
        rows = lake.rows("curated_documents", ["doc_id"], of_source)
        due = heirs(lake, source_id, [row["doc_id"] for row in rows])
        with database.write() as connection:
            sources.bump_requested(connection, sorted(due))
        for table in _TABLES:
            lake.delete_where(table, of_source)
    sources.mark_cleaned(database, source_id)
