"""Delete the rows of removed sources from every table."""

from aion_assets.core.database.engine import Database
from aion_assets.core.home import Home
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import BODIES, CHUNKS, CURATED_DOCUMENTS, DOCUMENTS, PAGES
from aion_assets.core.sources.progress import bump_requested
from aion_assets.core.sources.store import mark_cleaned, removed_sources
from aion_assets.core.steps.curated import heirs

# Steps whose lock is that of one source.
_STEPS = ("collect", "parse", "chunk", "embed")
_TABLES = (CHUNKS.name, CURATED_DOCUMENTS.name, DOCUMENTS.name, BODIES.name, PAGES.name)


def clean_removed_sources(home: Home) -> list[str]:
    """Returns the ids of the cleaned sources. The next build removes them from the index; until then they are hidden.

    Sources with the same content become due: their documents become primaries. A source that a run still works on is
    left for later; no further step begins on it.
    """
    lake, database, cleaned = home.lake, home.database, []
    for source_id in removed_sources(database, home.settings):
        with lake.locks_if_free(*(f"{step}-{source_id}" for step in _STEPS)) as free:
            if free:
                _clean(lake, database, source_id)
                cleaned.append(source_id)
    return cleaned


def _clean(lake: Lake, database: Database, source_id: str) -> None:
    of_source = f"source_id = {quoted(source_id)}"
    with lake.lock("curate"):
        # Look at duplicates, too: a former primary may still be named as the primary of documents elsewhere.
        rows = lake.rows(CURATED_DOCUMENTS.name, ["doc_id"], of_source)
        due = heirs(lake, source_id, [row["doc_id"] for row in rows])
        with database.write() as connection:
            bump_requested(connection, sorted(due))
        for table in _TABLES:
            lake.delete_where(table, of_source)
    mark_cleaned(database, source_id)
