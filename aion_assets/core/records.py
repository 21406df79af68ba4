"""The records that cross borders between steps, and the Arrow schemas of the Lance tables that hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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


# Begins the remark on a document that no rule may approve: a person has to look at it.
AWAITS_PERSON = "waits for a person: "


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
    """What an earlier collection stored of a location, so that it need not be fetched or read again. `url` is known of
    the lines of a dump only, where it is what an earlier line claimed.
    """

    locator: str
    outcome: Outcome
    etag: str = ""
    last_modified: str = ""
    content_hash: str = ""
    size_bytes: int = 0
    links: Sequence[str] = ()
    depth: int = 0
    collection_id: str = ""
    url: str = ""


@dataclass(slots=True)
class CollectedPage:
    """The outcome of one location in one collection. `body` is set exactly when `outcome` is STORED.

    `locator` is the canonical URL of a web page, or the path (jsonl: the record's id) relative to the source. `url` is
    what a citation shows and links to. `links` are the canonical URLs a page points to. `is_another`: the location
    stands for something else than before, so that no earlier body may be kept.
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
    """The page and heading that a citation names from character `offset` of the text on.

    `page` counts from 1; 0 where the type has no pages. `heading` is the path "H1 > H2" or "". `fragment` is the id of
    the heading's element, "" where it has none.
    """

    offset: int
    page: int = 0
    heading: str = ""
    fragment: str = ""


@dataclass(slots=True)
class ParsedDocument:
    """Plain text of one document. Blank lines separate paragraphs; each heading has its own line."""

    title: str
    text: str
    lang: str
    parser: str
    anchors: list[Anchor] = field(default_factory=list)
    published: str = ""
    is_partial: bool = False  # pages are missing that Tesseract or more time could read


@dataclass(slots=True)
class ParseOutcome:
    """Result for the item `key`: either a document or the reason why there is none."""

    key: str
    document: ParsedDocument | None = None
    reason: QuarantineReason | None = None
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Page, heading and fragment of something in a document, as in `Anchor`."""

    page: int = 0
    heading: str = ""
    fragment: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one version of a document, with the place of what is quoted from it."""

    chunk_id: str
    doc_id: str
    doc_version: str
    source_id: str
    title: str
    url: str
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """`number` stands in brackets in the answer; `quote` is verbatim in the passage, but for white space. `propensity`:
    the probability with which it stands at its number.
    """

    number: int
    passage: Passage
    quote: str
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Interleaved:
    """Two rankers picked the sources of an answer. `teams`: number of each source in the list → who picked it. `rival`:
    the model release that served before.
    """

    rival: str
    teams: Mapping[int, str] = field(default_factory=dict)


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
