"""Identities. Every id comes from content or from a canonical address, never from a position in a list.

An id is the first 32 hexadecimal digits (128 bits) of a SHA-256 over length-prefixed parts. The length prefixes keep
two different lists of parts from sharing an input.
"""

import hashlib
from pathlib import Path

ID_HEX_DIGITS = 32


def digest(*parts: str | bytes) -> str:
    """Full SHA-256 (64 hexadecimal digits) over length-prefixed parts."""
    state = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "big"))
        state.update(raw)
    return state.hexdigest()


def short_digest(*parts: str | bytes) -> str:
    return digest(*parts)[:ID_HEX_DIGITS]


def content_hash(body: bytes) -> str:
    """SHA-256 of the bytes alone, as any other tool would print it."""
    return hashlib.sha256(body).hexdigest()


def file_hash(path: Path) -> str:
    """`content_hash` of a file's bytes, which are not held in memory at once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def location_id(tenant_id: str, locator: str) -> str:
    """`locator` is a canonical URL, or `<source_id>:<relative path>` for what has no URL of its own."""
    return short_digest("location", tenant_id, locator)


def doc_id(page_key: str) -> str:
    """A document belongs to exactly one location of one source.

    Two sources may reach the same location. Each then has its own document of it, curated and removed with its source.
    `duplicate_of` keeps the second one out of the index.
    """
    return short_digest("document", page_key)


def text_hash(text: str) -> str:
    return short_digest("text", text)


def chunk_id(document: str, text: str, occurrence: int) -> str:
    """`occurrence` numbers equal texts of a document, so that each place of a repeated paragraph has an id."""
    return short_digest("chunk", document, text, str(occurrence))
