"""The passages of an answer: all that were retrieved, in order, with the text of those that were shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.records import Citation, Passage, Place
from aion_assets.core.search.hits import Hit

CITED, NEAREST, GIVEN = "cited", "nearest", "given"
# Stands for the source of a passage that is a person's correction. Such a passage is of no document.
CORRECTION_SOURCE = "correction"
_passages = tables.answer_passages


@dataclass(frozen=True, slots=True)
class GivenPassage:
    """A passage that the engine could choose from. `rank` counts from 1. `propensity` is the probability
    of the place where people saw it. The scores are those of the retrieval.
    """

    rank: int
    chunk_id: str
    doc_id: str
    doc_version: str
    source_id: str
    propensity: float
    scores: Mapping[str, float]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "GivenPassage":
        names = ("rank", "chunk_id", "doc_id", "doc_version", "source_id", "propensity", "scores")
        return cls(**{name: row[name] for name in names})


def passage_rows(
    answer_id: str, hits: Sequence[Hit], citations: Sequence[Citation], nearest: Sequence[Citation]
) -> list[dict[str, Any]]:
    """Rows of `answer_passages`: every hit once, with the text of those that were shown, and then what was cited
    without having been found: a correction, and the documents that it rests on.
    """
    shown = {item.passage.chunk_id: (NEAREST, item) for item in nearest}
    shown |= {item.passage.chunk_id: (CITED, item) for item in citations}
    rows = []
    for hit in hits:
        role, citation = shown.pop(hit.chunk_id, (GIVEN, None))
        rows.append(_row(hit.passage, role, citation) | {"scores": hit.scores})
    rows += [_row(citation.passage, role, citation) for role, citation in shown.values()]
    return [{"answer_id": answer_id, "rank": rank, **row} for rank, row in enumerate(rows, start=1)]


def _row(passage: Passage, role: str, citation: Citation | None) -> dict[str, Any]:
    place = citation.passage.place if citation else passage.place
    return {
        "role": role,
        "number": citation.number if citation else 0,
        "propensity": citation.propensity if citation else 1.0,
        "chunk_id": passage.chunk_id,
        "doc_id": passage.doc_id,
        "doc_version": passage.doc_version,
        "source_id": passage.source_id,
        "title": passage.title,
        "url": passage.url,
        "page": place.page,
        "heading": place.heading,
        "fragment": place.fragment,
        "scores": {},
        "quote": citation.quote if citation else "",
        "passage": citation.passage.text if citation else "",
    }


def read_passages(connection: Connection, answer_id: str) -> list[Mapping[str, Any]]:
    """Rows of `answer_passages`, by rank."""
    asked = select(_passages).where(_passages.c.answer_id == answer_id).order_by(_passages.c.rank)
    return [dict(row) for row in connection.execute(asked).mappings()]


def shown_at(database: Database, answer_id: str, ranks: Sequence[int]) -> list[Citation]:
    """What the answer showed at these ranks, in their order."""
    with database.read() as connection:
        rows = {row["rank"]: row for row in read_passages(connection, answer_id)}
    return [_citation(rows[rank]) for rank in ranks if rank in rows]


def citations_of(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Citation], list[Citation]]:
    """The cited passages and those offered as nearest, by number."""
    shown = sorted((row for row in rows if row["role"] != GIVEN), key=lambda row: int(row["number"]))
    cited = [_citation(row) for row in shown if row["role"] == CITED]
    return cited, [_citation(row) for row in shown if row["role"] == NEAREST]


def _citation(row: Mapping[str, Any]) -> Citation:
    place = Place(row["page"], row["heading"], row["fragment"])
    ids = (row["chunk_id"], row["doc_id"], row["doc_version"], row["source_id"])
    return Citation(
        row["number"], Passage(*ids, row["title"], row["url"], place, row["passage"]), row["quote"], row["propensity"]
    )
