"""Where in its document a quote stands: a passage may begin under one heading and be quoted from under the next."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from aion_assets.core.answer.extractive import Citation
from aion_assets.core.lake import Lake
from aion_assets.core.search.hits import Hit


def locate_quotes(lake: Lake, citations: Sequence[Citation], hits: Mapping[str, Hit]) -> None:
    """Give every citation the page and heading of its quote; `hits` are by chunk_id.

    Where the document is of another version than the passage by now, the place where the passage begins remains.
    """
    documents = {
        row["doc_id"]: row
        for row in lake.rows_by_key(
            "documents", ["doc_id", "content_hash", "anchors"], "doc_id", sorted({item.doc_id for item in citations})
        )
    }
    for citation in citations:
        document = documents.get(citation.doc_id)
        if document is None or document["content_hash"] != citation.doc_version:
            continue
        hit = hits[citation.chunk_id]
        anchors = document["anchors"] or []
        # By its end, as a quote may take the heading above its sentence along.
        place = bisect_right(anchors, hit.start + quote_end(hit.text, citation.quote) - 1, key=_offset_of) - 1
        if place >= 0:
            anchor = anchors[place]
            citation.page, citation.heading = anchor["page"] or 0, anchor["heading"] or ""
            citation.fragment = anchor["fragment"] or ""


def quote_end(passage: str, quote: str) -> int:
    """Offset just after the quote, whose white space is folded and whose cut ends are marked by "…"; 1 if not found."""
    words = (re.escape(word) for word in quote.strip("…").split())
    found = re.search(r"\s+".join(words), passage)
    return found.end() if found and found.end() else 1


def _offset_of(anchor: Mapping[str, int]) -> int:
    return anchor["offset"]
