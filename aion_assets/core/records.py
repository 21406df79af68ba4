"""The records that cross borders between steps, and the Arrow schemas of the Lance tables that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import pyarrow as pa


class Outcome(StrEnum):
    """How the visit of one location ended. Every location has exactly one."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REDIRECT = "redirect"
    DUPLICATE = "duplicate"
    ROBOTS = "robots"
    OFF_DOMAIN = "off-domain"
    TOO_BIG = "too-big"
    WRONG_TYPE = "wrong-type"
    CAPPED = "capped"
    GONE = "gone"
    ERROR = "error"


class QuarantineReason(StrEnum):
    """Why a stored body has no text."""

    EMPTY = "empty"
    NO_TEXT = "no-text"
    ENCRYPTED = "encrypted"
    WRONG_TYPE = "wrong-type"
    UNSUPPORTED = "unsupported"
    BROKEN = "broken"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    KILLED = "killed"
    OCR_MISSING = "ocr-missing"


@dataclass(slots=True)
class Source:
    """What a person adds, schedules, backfills and forgets; the partition key of the corpus."""

    source_id: str
    tenant_id: str
    kind: str
    address: str
    name: str
    schedule_s: int
    max_depth: int
    max_pages: int
    allow_domains: tuple[str, ...] = ()
    auto_approve: bool = False
    paused: bool = False


@dataclass(slots=True)
class KnownPage:
    """What an earlier collection knows of a location, so that it need not be fetched or read again."""

    locator: str
    outcome: Outcome
    etag: str = ""
    last_modified: str = ""
    content_hash: str = ""
    size_bytes: int = 0
    links: Sequence[str] = ()
    depth: int = 0
    collection_id: str = ""


@dataclass(slots=True)
class CollectedPage:
    """The outcome of one location in one collection. `body` is set exactly when `outcome` is STORED.

    `locator` is the canonical URL of a web page, or the path (jsonl: the record's id) relative to the source.
    `url` is what a citation shows and links to; `links` are the canonical URLs a page points to. `is_another` says that
    the location no longer stands for what was known of it, so that no earlier body may be kept.
    """

    locator: str
    url: str
    outcome: Outcome
    reason: str = ""
    status: int = 0
    fetched_at: datetime | None = None
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""
    filename: str = ""
    body: bytes | None = None
    content_hash: str = ""
    size_bytes: int = 0
    links: Sequence[str] = ()
    depth: int = 0
    is_another: bool = False


@dataclass(slots=True)
class Anchor:
    """From character `offset` of the text on, a citation may point to this page and heading.

    `page` counts from 1, 0 where the type has no pages; `heading` is the path "H1 > H2" or ""; `fragment` is the
    heading's own id in the page, "" where it has none.
    """

    offset: int
    page: int = 0
    heading: str = ""
    fragment: str = ""


@dataclass(slots=True)
class ParsedDocument:
    """Plain text of one document. Paragraphs are separated by blank lines; headings stand on lines of their own."""

    title: str
    text: str
    lang: str
    parser: str
    anchors: list[Anchor] = field(default_factory=list)
    published: str = ""
    is_partial: bool = False  # pages are left out that may be read with Tesseract or in more time


@dataclass(slots=True)
class ParseOutcome:
    """Result for the item `key`: a document, or the reason why there is none. Never both, never neither."""

    key: str
    document: ParsedDocument | None = None
    reason: QuarantineReason | None = None
    detail: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Chunk:
    """`text` is `document.text[start:end]`; `embed_text` is what the embedder and the full-text index read."""

    start: int
    end: int
    text: str
    embed_text: str
    token_count: int
    page: int
    heading: str
    fragment: str


_ID = pa.string()
_TIME = pa.timestamp("us", tz="UTC")

PAGES = pa.schema(
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
)

# Apart from their pages, whose rows change at every visit: Lance rewrites a row as a whole.
BODIES = pa.schema(
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
)

ANCHOR = pa.struct(
    [
        pa.field("offset", pa.int32()),
        pa.field("page", pa.int32()),
        pa.field("heading", pa.string()),
        pa.field("fragment", pa.string()),
    ]
)

DOCUMENTS = pa.schema(
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
)

CURATED_DOCUMENTS = pa.schema(
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
)

CHUNKS = pa.schema(
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
        pa.field("context", pa.string()),  # the text around the chunk that lends it its parent's full-text score
        pa.field("text_hash", pa.string(), nullable=False),  # of embed_text
        pa.field("row_hash", pa.string(), nullable=False),  # of everything the index shows of this chunk
        pa.field("code_version", pa.string(), nullable=False),
        pa.field("run_id", pa.string()),
    ]
)


def embeddings_schema(dimension: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("embedding_key", _ID, nullable=False),  # text_hash + "/" + embedder_id
            pa.field("text_hash", pa.string(), nullable=False),
            pa.field("embedder_id", pa.string(), nullable=False),
            pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False),
        ]
    )


def knowledge_schema(dimension: int) -> pa.Schema:
    """The index: the chunks of approved primaries with their vectors, ready to search without any join."""
    carried = [
        CHUNKS.field(name)
        for name in (
            "chunk_id", "doc_id", "tenant_id", "source_id", "doc_version", "position", "start", "end", "page",
            "heading", "fragment", "lang", "title", "url", "text", "text_hash", "row_hash",
        )
    ]  # fmt: skip
    # Made by search.analysis.index_columns: a row fills the columns of its own language only.
    full_text = [pa.field(f"{kind}_{lang}", pa.string()) for kind in ("text", "context") for lang in ("pt", "en")]
    vector = pa.field("vector", pa.list_(pa.float32(), dimension), nullable=False)
    return pa.schema([*carried, *full_text, vector])
