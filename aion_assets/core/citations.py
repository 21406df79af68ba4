"""Where in its document a quote stands: a passage may begin under one heading and be quoted from under the next."""

import logging
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence

from aion_assets.core.answer.extractive import Citation, cite
from aion_assets.core.answer.quotes import best_quotes
from aion_assets.core.errors import LakeError
from aion_assets.core.lake import Lake
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.terms import TermWeights

_log = logging.getLogger(__name__)


def locate_quotes(lake: Lake, citations: Sequence[Citation], hits: Mapping[str, Hit]) -> None:
    """Give every citation the page and heading of its quote; `hits` are by chunk_id.

    Where the document is of another version than the passage by now, or cannot be read, the place where the passage
    begins remains: a release answers without the tables that it was made from.
    """
    doc_ids = sorted({item.doc_id for item in citations})
    try:
        found = list(lake.rows_by_key("documents", ["doc_id", "content_hash", "anchors"], "doc_id", doc_ids))
    except LakeError as error:
        _log.warning("Citations name the place where their passage begins: %s", error)
        found = []
    documents = {row["doc_id"]: row for row in found}
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


def locate_hits(lake: Lake, question: str, hits: Sequence[Hit], weights: TermWeights) -> None:
    """Give every hit the page and heading of what speaks of the question in it."""
    by_id = {hit.chunk_id: hit for hit in hits}
    citations = cite(best_quotes(question, hits, weights))
    locate_quotes(lake, citations, by_id)
    for citation in citations:
        hit = by_id[citation.chunk_id]
        hit.page, hit.heading, hit.fragment = citation.page, citation.heading, citation.fragment


def quote_end(passage: str, quote: str) -> int:
    """Offset just after the quote, whose white space is folded and whose cut ends are marked by "…"; 1 if not found."""
    whole = quote.strip("…")
    # True of six in ten on three sites of documentation; to compile an expression takes longest here.
    if whole and (start := passage.find(whole)) >= 0:
        return start + len(whole)
    words = (re.escape(word) for word in whole.split())
    found = re.search(r"\s+".join(words), passage)
    return found.end() if found and found.end() else 1


def _offset_of(anchor: Mapping[str, int]) -> int:
    return anchor["offset"]
