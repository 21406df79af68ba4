"""The gates of a content release: what must hold of an index before it serves."""

from aion_assets.core.home import Home
from aion_assets.core.lake.tables import knowledge_name
from aion_assets.core.sources.tombstones import read_hidden
from aion_assets.core.steps import claims


def gates(home: Home, embedder_id: str) -> dict[str, claims.Finding]:
    """The structural gates of a content release, by the name of their claim."""
    removed = read_hidden(home.database, home.tenant_id).source_ids
    table = home.lake.table(knowledge_name(embedder_id))
    return {
        "index_holds_every_chunk": claims.index_holds_every_chunk(home.lake, embedder_id, removed),
        "index_recall_is_high": claims.index_recall_is_high(home.lake, embedder_id),
        "smoke_query_finds_itself": claims.smoke_query_finds_itself(table),
    }
