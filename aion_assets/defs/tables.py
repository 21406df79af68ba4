"""What the catalog shows of a Lance table: its name and place, its columns and what stands in them."""

from typing import Any

import dagster as dg
import pyarrow as pa

_COLUMNS = {
    "anchors": "Where pages and headings begin in the text.",
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
    "lang": "Of the text, as recognised; two letters.",
    "last_modified": "Sent back at the next visit, so that only changes are fetched.",
    "links": "Addresses that the page links to.",
    "location_id": "Made of the tenant and the canonical address or path.",
    "locator": "Canonical address, or path inside the source.",
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
    "vector": "L2-normalised.",
}


def table_definition(name: str, schema: pa.Schema) -> dict[str, Any]:
    """Definition metadata. Raises KeyError: a column is not described above."""
    columns = [
        dg.TableColumn(
            field.name,
            str(field.type),
            description=_COLUMNS[field.name],
            constraints=dg.TableColumnConstraints(nullable=field.nullable),
        )
        for field in schema
    ]
    return {"dagster/column_schema": dg.TableSchema(columns), "dagster/table_name": f"lake.{name}"}
