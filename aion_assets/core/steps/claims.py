"""What the pipeline claims of its tables, checked against the tables themselves."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.ids import doc_id
from aion_assets.core.index.contents import waiting_documents, wanted_rows
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.index.recall import exact_recall
from aion_assets.core.lake.conditions import both, quoted
from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import CHUNKS, DOCUMENTS, PAGES, embeddings_name, knowledge_name
from aion_assets.core.records import Outcome

if TYPE_CHECKING:
    from lancedb.table import Table

MAX_ERROR_SHARE = 0.1
MIN_RECALL = 0.98
_SAMPLE = 200
# Enough to see a recall that misses the floor clearly. On a large index each question reads a third of it.
_RECALL_QUERIES = 50
_LENGTH_TOLERANCE = 1e-3


@dataclass(slots=True)
class Finding:
    """`says` names what is wrong and the next step, or what was found to hold."""

    holds: bool
    says: str
    figures: Mapping[str, int | float] = field(default_factory=dict)


def most_locations_answered(lake: Lake, source_id: str = "") -> Finding:
    failed: dict[str, int] = {}
    total: dict[str, int] = {}
    for row in lake.rows(PAGES.name, ["source_id", "outcome"], _of_source(source_id)):
        total[row["source_id"]] = total.get(row["source_id"], 0) + 1
        failed[row["source_id"]] = failed.get(row["source_id"], 0) + (row["outcome"] == Outcome.ERROR)
    worst = max(total, key=lambda source: failed[source] / total[source], default="")
    share = failed[worst] / total[worst] if worst else 0.0
    says = f"In source {worst}, {failed[worst]} of {total[worst]} locations failed." if share else "All answered."
    return Finding(share <= MAX_ERROR_SHARE, says, {"worst_error_share": share})


def every_stored_page_has_an_outcome(lake: Lake, source_id: str = "") -> Finding:
    found = lake.rows(DOCUMENTS.name, ["doc_id", "page_hash"], _of_source(source_id))
    documents = {row["doc_id"]: row["page_hash"] for row in found}
    stored = missing = 0
    for row in lake.rows(PAGES.name, ["page_key", "content_hash"], _of_source(source_id)):
        if not row["content_hash"]:
            continue
        stored += 1
        missing += documents.get(doc_id(row["page_key"])) != row["content_hash"]
    return Finding(
        missing == 0, f"{missing} of {stored} stored pages are not parsed yet.", {"stored": stored, "missing": missing}
    )


def chunk_ids_are_unique(lake: Lake) -> Finding:
    chunks = twice = 0
    for part in lake.ranges("chunk_id", CHUNKS.name):
        ids = [row["chunk_id"] for row in lake.rows(CHUNKS.name, ["chunk_id"], part)]
        chunks += len(set(ids))
        twice += len(ids) - len(set(ids))
    return Finding(twice == 0, f"{twice} of {chunks} chunk ids occur twice.", {"chunks": chunks, "twice": twice})


def no_chunk_is_truncated(lake: Lake, model: EmbeddingModel) -> Finding:
    """Counts the tokens of a sample with the embedder's tokenizer. For other rows it takes the stored count."""
    longest = checked = 0
    for row in lake.rows(CHUNKS.name, ["token_count", "embed_text"]):
        checked += 1
        tokens = model.count_tokens(row["embed_text"]) if checked <= _SAMPLE else row["token_count"]
        longest = max(longest, tokens)
    says = f"The longest of {checked} chunks has {longest} tokens, {model.text_tokens} fit."
    return Finding(longest <= model.text_tokens, says, {"longest_tokens": longest})


def every_chunk_is_embedded(lake: Lake, embedder_id: str, source_id: str = "") -> Finding:
    """Looks at one source, or at all, including those that other runs work on at the moment."""
    table = embeddings_name(embedder_id)
    chunks = missing = 0
    for part in lake.ranges("text_hash", CHUNKS.name, table):
        embedded = {row["text_hash"] for row in lake.rows(table, ["text_hash"], part)}
        for row in lake.rows(CHUNKS.name, ["text_hash"], both(_of_source(source_id), part)):
            chunks += 1
            missing += row["text_hash"] not in embedded
    lengths = np.linalg.norm(_sample_vectors(lake, table), axis=1)
    odd = int((np.abs(lengths - 1.0) > _LENGTH_TOLERANCE).sum())
    says = f"{missing} of {chunks} chunks have no vector, {odd} sampled vectors are not of length 1."
    return Finding(missing == 0 and odd == 0, says, {"chunks": chunks, "missing": missing, "odd_lengths": odd})


def index_holds_every_chunk(lake: Lake, embedder_id: str, hidden_sources: frozenset[str]) -> Finding:
    """Compares the rows of the index with the chunks that it was last updated from.

    Rows of hidden sources do not count: no search shows them, and the next build deletes them.
    """
    table = knowledge_name(embedder_id)
    rows = chunks = missing = surplus = 0
    with lake.lock(INDEX_LOCK):
        waiting = waiting_documents(lake, embedder_id, hidden_sources)
        for part in lake.ranges("chunk_id", CHUNKS.name, table):
            wanted = wanted_rows(lake, embedder_id, hidden_sources, waiting, part)
            indexed: dict[str, str] = {}
            for row in lake.rows(table, ["chunk_id", "row_hash", "doc_id", "source_id"], part):
                if row["source_id"] not in hidden_sources and row["doc_id"] not in waiting:
                    surplus += row["chunk_id"] in indexed
                    indexed[row["chunk_id"]] = row["row_hash"]
            rows += len(indexed)
            chunks += len(wanted)
            missing += sum(indexed.get(key) != row_hash for key, row_hash in wanted.items())
            surplus += sum(key not in wanted for key in indexed)
    says = f"The index lacks {missing} of {chunks} chunks and holds {surplus} too many."
    figures = {"rows": rows, "missing": missing, "surplus": surplus, "waiting_documents": len(waiting)}
    return Finding(missing == 0 and surplus == 0, says, figures)


def index_recall_is_high(lake: Lake, embedder_id: str) -> Finding:
    """Compares approximate with exact search, with vectors of the index as queries."""
    table = knowledge_name(embedder_id)
    recall = exact_recall(lake.table(table), _sample_vectors(lake, table, _RECALL_QUERIES), 10)
    return Finding(recall >= MIN_RECALL, f"Recall against exact search is {recall:.4f}.", {"recall": recall})


def smoke_query_finds_itself(table: "Table") -> Finding:
    """Looks for a chunk by its own vector."""
    rows = table.search().select(["chunk_id", "text_hash", "vector", "text"]).limit(1).to_list()
    if not rows:
        return Finding(True, "The index is empty.", {"rows": 0})
    found = table.search(rows[0]["vector"], vector_column_name="vector").limit(5).to_list()
    holds = any(hit["text_hash"] == rows[0]["text_hash"] for hit in found)
    return Finding(holds, "A chunk's own vector finds it." if holds else "A chunk's own vector does not find it.")


def _of_source(source_id: str) -> str:
    return f"source_id = {quoted(source_id)}" if source_id else ""


def _sample_vectors(lake: Lake, table: str, count: int = _SAMPLE) -> NDArray[np.float32]:
    """(at most `count`, dimension), evenly spread over the table."""
    step = max(1, math.ceil(lake.count(table) / count))
    parts, seen = [], 0
    for batch in lake.read(table, ["vector"]):
        vectors = batch["vector"].flatten().to_numpy().reshape(batch.num_rows, -1)
        parts.append(vectors[-seen % step :: step].copy())  # a view would keep the whole batch
        seen += batch.num_rows
    return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
