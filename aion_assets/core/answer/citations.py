"""Citations: quotes with a number, each at its place in the document.

A passage may begin under one heading and be quoted from under the next.
"""

import logging
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aion_assets.core.answer.pieces import ROW_GAP
from aion_assets.core.answer.quotes import Quote, best_quotes
from aion_assets.core.errors import LakeError
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import DOCUMENTS
from aion_assets.core.language.question import Question
from aion_assets.core.records import Citation, Place
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights

# Returns the place of every quote, in the same order.
Locate = Callable[[Sequence[Quote]], Sequence[Place]]

_log = logging.getLogger(__name__)


def cite(quotes: Sequence[Quote], places: Sequence[Place]) -> list[Citation]:
    """Numbered from 1. The heading of a section stands beside its quote, so it is not part of it."""
    return [
        Citation(number, replace(quote.hit.passage, place=place), _below_heading(quote.text, place.heading))
        for number, (quote, place) in enumerate(zip(quotes, places, strict=True), start=1)
    ]


def _below_heading(quote: str, heading: str) -> str:
    """The quote without a first line that is the heading above it. A question stays: the answer may be "Sim." alone."""
    line, _, rest = quote.partition("\n")
    names = {" ".join(name.split()) for name in heading.split(" > ")}
    return rest if rest and line in names and not line.endswith("?") else quote


def where_passages_begin(quotes: Sequence[Quote]) -> list[Place]:
    return [quote.hit.place for quote in quotes]


def places_in(lake: Lake) -> Locate:
    """Page and heading of the quotes themselves, read from the documents.

    Where the document has another version than the passage, or cannot be read, the place where the passage begins
    stays: a release answers without the tables that it was made from.
    """
    return lambda quotes: _places(lake, quotes)


def located_hits(lake: Lake, question: Question, hits: Sequence[Hit], weights: TermWeights) -> list[Hit]:
    """The hits, each at the page and heading of its part that speaks of the question."""
    quotes = best_quotes(question, hits, weights)
    places = dict(zip((quote.hit.chunk_id for quote in quotes), _places(lake, quotes), strict=True))
    return [hit.at(places[hit.chunk_id]) if hit.chunk_id in places else hit for hit in hits]


def quote_end(passage: str, quote: str) -> int:
    """Offset just after the quote, whose white space is folded and whose cut ends are marked by "…"; 1 if not found.
    Of a row below the names of its columns, the offset after the row.
    """
    whole = quote.rpartition(ROW_GAP)[2].strip("…")
    # Most quotes stand verbatim in the passage. Compiling an expression is the slowest part, so it comes second.
    if whole and (start := passage.find(whole)) >= 0:
        return start + len(whole)
    words = (re.escape(word) for word in whole.split())
    found = re.search(r"\s+".join(words), passage)
    return found.end() if found and found.end() else 1


def _places(lake: Lake, quotes: Sequence[Quote]) -> list[Place]:
    doc_ids = sorted({quote.hit.doc_id for quote in quotes})
    columns = ["doc_id", "content_hash", "anchors"]
    try:
        documents = {row["doc_id"]: row for row in lake.rows_by_key(DOCUMENTS.name, columns, {"doc_id": doc_ids})}
    except LakeError as error:
        _log.warning("Citations name the place where their passage begins: %s", error)
        documents = {}
    return [_place(quote, documents.get(quote.hit.doc_id)) for quote in quotes]


def _place(quote: Quote, document: Mapping[str, Any] | None) -> Place:
    hit = quote.hit
    if document is None or document["content_hash"] != hit.doc_version:
        return hit.place
    anchors = document["anchors"] or []
    # Look up the quote's end: the quote may begin with the heading above its sentence.
    at = bisect_right(anchors, hit.start + quote_end(hit.text, quote.text) - 1, key=_offset_of) - 1
    if at < 0:
        return hit.place
    anchor = anchors[at]
    return Place(anchor["page"] or 0, anchor["heading"] or "", anchor["fragment"] or "")


def _offset_of(anchor: Mapping[str, int]) -> int:
    return anchor["offset"]
