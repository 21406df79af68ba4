"""What the index should hold of the chunks."""

from collections.abc import Collection
from typing import Any

from aion_assets.core.index.analysis import analysis_version
from aion_assets.core.lake.diff import counted_version
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import CHUNKS, embeddings_name, knowledge_name


def waiting_documents(lake: Lake, embedder_id: str, removed: Collection[str]) -> frozenset[str]:
    """The documents that some run was still embedding when the index was last updated from the chunks.

    `removed`: ids of sources whose documents do not count.
    """
    vectors = embeddings_name(embedder_id)
    chunks_tag, vectors_tag = _tag_of(CHUNKS.name, lake, embedder_id), _tag_of(vectors, lake, embedder_id)
    waiting: set[str] = set()
    for part in lake.ranges("text_hash", CHUNKS.name, vectors):
        embedded = {row["text_hash"] for row in lake.rows(vectors, ["text_hash"], part, vectors_tag)}
        waiting.update(
            row["doc_id"]
            for row in lake.rows(CHUNKS.name, ["doc_id", "source_id", "text_hash"], part, chunks_tag)
            if row["source_id"] not in removed and row["text_hash"] not in embedded
        )
    return frozenset(waiting)


def wanted_rows(
    lake: Lake, embedder_id: str, removed: Collection[str], waiting: Collection[str], part: str
) -> dict[str, str]:
    """chunk_id → `indexed_hash` of the rows that the index should hold after its last update from the chunks.

    `removed`: ids of sources. `waiting`: ids of documents that keep the rows they have. `part`: one of the ranges of
    chunk_id.
    """
    columns = ["chunk_id", "row_hash", "doc_id", "source_id"]
    return {
        row["chunk_id"]: indexed_hash(row["row_hash"])
        for row in lake.rows(CHUNKS.name, columns, part, _tag_of(CHUNKS.name, lake, embedder_id))
        if row["source_id"] not in removed and row["doc_id"] not in waiting
    }


def indexed_hash(row_hash: str) -> str:
    """The row hash in the index of a chunk with this row hash. It changes with the text analysis, too."""
    return f"{row_hash}/{analysis_version()}"


def _tag_of(name: str, lake: Lake, embedder_id: str) -> str:
    """Tag of the version of table `name` that the index was built from; "" before the first build."""
    tag = knowledge_name(embedder_id)
    return tag if lake.has_tag(name, tag) else ""


def index_version(lake: Lake, table: str) -> dict[str, Any]:
    """{table, version, rows, data_version} of an index as it is now."""
    rows, data_version = counted_version(
        (row["chunk_id"], row["row_hash"]) for row in lake.rows(table, ["chunk_id", "row_hash"])
    )
    return {"table": table, "version": int(lake.table(table).version), "rows": rows, "data_version": data_version}
