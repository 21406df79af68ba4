"""The Lance tables in one place: name, key, columns and their meaning.

A table grows by nullable columns: `Lake.upsert` adds those that an older home lacks.
"""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LakeTable:
    """`key` is the column that tells rows apart."""

    name: str
    key: str
    schema: pa.Schema


EMBEDDINGS, KNOWLEDGE = "embeddings", "knowledge"
_ID = pa.string()
_TIME = pa.timestamp("us", tz="UTC")
PAGES = LakeTable(
    "pages",
    "page_key",
    pa.schema(
        [
            pa.field("page_key", _ID, nullable=False),  # source_id + "/" + location_id
            pa.field("location_id", _ID, nullable=False),
            pa.field("tenant_id", pa.string(), nullable=False),
            pa.field("source_id", pa.string(), nullable=False),
            pa.field("locator", pa.string(), nullable=False),
            pa.field("url", pa.string(), nullable=False),
            pa.field("outcome", pa.string(), nullable=False),  # of the newest visit
            pa.field("reason", pa.string()),
            pa.field("status", pa.int32()),
            pa.field("fetched_at", _TIME),
            pa.field("etag", pa.string()),
            pa.field("last_modified", pa.string()),
            pa.field("content_hash", pa.string()),  # of the body; "" where there is none
            pa.field("size_bytes", pa.int64()),
            pa.field("links", pa.list_(pa.string())),
            pa.field("depth", pa.int32()),
            pa.field("collection_id", pa.string()),
            pa.field("run_id", pa.string()),
        ]
    ),
)
# Bodies are apart from pages, whose rows change at every visit: Lance rewrites a row as a whole.
BODIES = LakeTable(
    "bodies",
    "page_key",
    pa.schema(
        [
            pa.field("page_key", pa.string(), nullable=False),
            pa.field("location_id", _ID, nullable=False),
            pa.field("tenant_id", pa.string(), nullable=False),
            pa.field("source_id", pa.string(), nullable=False),
            pa.field("content_type", pa.string()),
            pa.field("filename", pa.string()),
            pa.field("content_hash", pa.string(), nullable=False),
            pa.field("body", pa.large_binary()),
        ]
    ),
)
ANCHOR = pa.struct(
    [
        pa.field("offset", pa.int32()),
        pa.field("page", pa.int32()),
        pa.field("heading", pa.string()),
        pa.field("fragment", pa.string()),
    ]
)
DOCUMENTS = LakeTable(
    "documents",
    "doc_id",
    pa.schema(
        [
            pa.field("doc_id", _ID, nullable=False),
            pa.field("location_id", _ID, nullable=False),
            pa.field("tenant_id", pa.string(), nullable=False),
            pa.field("source_id", pa.string(), nullable=False),
            pa.field("url", pa.string(), nullable=False),
            pa.field("state", pa.string(), nullable=False),  # parsed | quarantined
            pa.field("reason", pa.string()),
            pa.field("detail", pa.string()),
            pa.field("page_hash", pa.string(), nullable=False),  # content_hash of the page that was parsed
            pa.field("content_hash", pa.string(), nullable=False),  # of title, text and anchors: the document's version
            pa.field("title", pa.string()),
            pa.field("lang", pa.string()),
            pa.field("text", pa.large_string()),
            pa.field("anchors", pa.list_(ANCHOR)),
            pa.field("published", pa.string()),
            pa.field("quality", pa.float32()),
            pa.field("simhash", pa.uint64()),  # near duplicates differ in few of its bits
            pa.field("parser", pa.string()),
            pa.field("code_version", pa.string(), nullable=False),
            pa.field("first_seen", _TIME),
            pa.field("run_id", pa.string()),
        ]
    ),
)
CURATED_DOCUMENTS = LakeTable(
    "curated_documents",
    "doc_id",
    pa.schema(
        [
            pa.field("doc_id", _ID, nullable=False),
            pa.field("tenant_id", pa.string(), nullable=False),
            pa.field("source_id", pa.string(), nullable=False),
            pa.field("content_hash", pa.string(), nullable=False),
            pa.field("duplicate_of", pa.string()),  # doc_id of the primary; "" for a primary
            pa.field("near_duplicate_of", pa.string()),  # flagged for the curator, still indexed
            pa.field("first_seen", _TIME),
            pa.field("decided_by", pa.string()),
            pa.field("decided_at", _TIME),
            pa.field("run_id", pa.string()),
        ]
    ),
)
CHUNKS = LakeTable(
    "chunks",
    "chunk_id",
    pa.schema(
        [
            pa.field("chunk_id", _ID, nullable=False),
            pa.field("doc_id", _ID, nullable=False),
            pa.field("tenant_id", pa.string(), nullable=False),
            pa.field("source_id", pa.string(), nullable=False),
            pa.field("doc_version", pa.string(), nullable=False),
            pa.field("position", pa.int32(), nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("page", pa.int32()),
            pa.field("heading", pa.string()),
            pa.field("fragment", pa.string()),
            pa.field("token_count", pa.int32()),
            pa.field("lang", pa.string()),
            pa.field("title", pa.string()),
            pa.field("url", pa.string()),
            pa.field("text", pa.string(), nullable=False),
            pa.field("embed_text", pa.string(), nullable=False),
            pa.field("context", pa.string()),  # text around the chunk, by which full text scores it with its neighbours
            pa.field("text_hash", pa.string(), nullable=False),  # of embed_text
            pa.field("row_hash", pa.string(), nullable=False),  # of everything the index shows of this chunk
            pa.field("code_version", pa.string(), nullable=False),
            pa.field("run_id", pa.string()),
        ]
    ),
)


# Prompts and answers that a generator learns from. The table holds what the newest dataset holds.
SFT_ROWS = LakeTable(
    "sft_rows",
    "answer_id",
    pa.schema(
        [
            pa.field("answer_id", _ID, nullable=False),
            pa.field("tenant_id", pa.string(), nullable=False),
            pa.field("user_id", pa.string()),
            pa.field("language", pa.string()),
            pa.field("split", pa.string(), nullable=False),  # train | held_out
            pa.field("doc_ids", pa.list_(pa.string())),
            pa.field("chunk_ids", pa.list_(pa.string())),
            pa.field("messages", pa.string(), nullable=False),  # JSON, as the OpenAI protocol has them
        ]
    ),
)


def embeddings_table(embedder_id: str, dimension: int) -> LakeTable:
    schema = pa.schema(
        [
            pa.field("embedding_key", _ID, nullable=False),  # text_hash + "/" + embedder_id
            pa.field("text_hash", pa.string(), nullable=False),
            pa.field("embedder_id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False),
        ]
    )
    return LakeTable(embeddings_name(embedder_id), "embedding_key", schema)


def knowledge_table(embedder_id: str, dimension: int) -> LakeTable:
    """The index: the chunks of approved primaries with their vectors. A search needs no join."""
    carried = [
        CHUNKS.schema.field(name)
        for name in (
            "chunk_id", "doc_id", "tenant_id", "source_id", "doc_version", "position", "start", "end", "page",
            "heading", "fragment", "lang", "title", "url", "text", "text_hash", "row_hash",
        )
    ]  # fmt: skip
    # Filled by index.analysis.index_columns. A row fills the columns of its own language only.
    full_text = [pa.field(f"{kind}_{lang}", pa.string()) for kind in ("text", "context") for lang in ("pt", "en")]
    vector = pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False)
    return LakeTable(knowledge_name(embedder_id), "chunk_id", pa.schema([*carried, *full_text, vector]))


def embeddings_name(embedder_id: str) -> str:
    """Each embedder has a table of its own: vectors of different embedders differ in length."""
    return f"{EMBEDDINGS}-{_plain(embedder_id)}"


def knowledge_name(embedder_id: str) -> str:
    """Each embedder has an index of its own: a new one is built beside the one that serves."""
    return f"{KNOWLEDGE}-{_plain(embedder_id)}"


def kind_of(name: str) -> str:
    """The table's name without the embedder's id."""
    return next((kind for kind in (EMBEDDINGS, KNOWLEDGE) if name.startswith(f"{kind}-")), name)


def _plain(embedder_id: str) -> str:
    return "".join(char if char.isalnum() or char in "._" else "-" for char in embedder_id)


# The meaning of each column, whichever table it is in.
MEANINGS = {
    "answer_id": "The answer that the row was made of.",
    "anchors": "Where pages and headings begin in the text.",
    "chunk_ids": "Passages of the prompt, in their order.",
    "chunk_id": "Made of the document, the text and its occurrence in it.",
    "code_version": "The code that made the row; another one makes it again.",
    "collection_id": "The collection that visited the location last.",
    "content_hash": "Version of the content; empty where there is none.",
    "context": "The text around the chunk, which lends it its score.",
    "context_en": "`context`, where the language is English.",
    "context_pt": "`context`, where the language is Portuguese.",
    "decided_at": "When the curator decided.",
    "decided_by": "Who decided: a person, or the source's policy.",
    "depth": "Links followed from the start page.",
    "detail": "More on the reason.",
    "doc_ids": "Documents of the prompt.",
    "doc_id": "Made of the location that the document belongs to.",
    "doc_version": "`content_hash` of the document that the chunk was cut from.",
    "duplicate_of": "The primary that has the same content; empty for a primary.",
    "embed_text": "What the embedder and the full-text index read.",
    "embedder_id": "The model with the digest of its weights.",
    "embedding_key": "text_hash/embedder_id",
    "end": "Offset in the document's text after the last character.",
    "etag": "Sent back at the next visit, so that only changes are fetched.",
    "fetched_at": "When the location was visited last.",
    "first_seen": "When the document came first; the earliest of equal ones is the primary.",
    "fragment": "The part of an address behind #, which leads to the heading.",
    "heading": "The headings above the chunk.",
    "language": "Of the answer.",
    "lang": "Of the text, as recognised; two letters.",
    "last_modified": "Sent back at the next visit, so that only changes are fetched.",
    "links": "Addresses that the page links to.",
    "location_id": "Made of the tenant and the canonical address or path.",
    "locator": "Canonical address, or path inside the source.",
    "messages": "Prompt and answer, as JSON.",
    "near_duplicate_of": "A document that says nearly the same; shown to the curator.",
    "outcome": "Of the newest visit: stored, unchanged, redirect, duplicate, robots, error …",
    "page": "Page of the file, from 1; 0 where there are none.",
    "page_hash": "`content_hash` of the body that was parsed.",
    "page_key": "source_id/location_id",
    "parser": "Which parser read it, with its version.",
    "position": "Order inside the document.",
    "published": "Date that the document gives itself.",
    "quality": "0 to 1; low ones stand first before the curator.",
    "reason": "Why there is no content, or no document.",
    "row_hash": "Of everything that the index takes over.",
    "run_id": "The Dagster run that wrote the row.",
    "simhash": "Near duplicates differ in few of its bits.",
    "size_bytes": "Of the body.",
    "source_id": "The source, which is the partition.",
    "split": "train, or held_out for measuring.",
    "start": "Offset of the first character in the document's text.",
    "state": "parsed, or quarantined with a reason.",
    "status": "HTTP status of the newest visit.",
    "tenant_id": "The organisation.",
    "text": "Plain text.",
    "text_en": "`embed_text`, where the language is English.",
    "text_hash": "Of `embed_text`.",
    "text_pt": "`embed_text`, where the language is Portuguese.",
    "title": "Of the document.",
    "token_count": "Word pieces of the embedder.",
    "url": "Where a reader finds it.",
    "user_id": "Who asked.",
    "vector": "L2-normalised.",
}
