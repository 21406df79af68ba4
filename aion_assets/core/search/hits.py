"""The results of a search."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.language.question import Question
from aion_assets.core.records import Passage, Place
from aion_assets.core.search.weights import TermWeights

Vector = NDArray[np.float32]


@dataclass(slots=True)
class Hit:
    """A passage. Hits are ordered by `score`, in [0, 1]. `dense` is a cosine. `lexical` is a sum of BM25 scores, 0
    where full text did not find the passage. `read` are READING_FEATURES: how much of the question the passage holds;
    `reading` is one figure of them.
    """

    chunk_id: str
    doc_id: str
    doc_version: str
    source_id: str
    title: str
    url: str
    page: int
    heading: str
    fragment: str
    lang: str
    text: str
    start: int
    end: int
    vector: Vector = field(repr=False)
    dense: float = 0.0
    lexical: float = 0.0
    read: tuple[float, ...] = ()
    reading: float = 0.0
    score: float = 0.0

    @property
    def place(self) -> Place:
        return Place(self.page, self.heading, self.fragment)

    @property
    def passage(self) -> Passage:
        """The passage at the place where it begins."""
        ids = (self.chunk_id, self.doc_id, self.doc_version, self.source_id)
        return Passage(*ids, self.title, self.url, self.place, self.text)

    @property
    def scores(self) -> dict[str, float]:
        """The scores, for the record."""
        kept = {"score": self.score, "dense": self.dense, "lexical": self.lexical, "reading": self.reading}
        return {name: round(float(value), 4) for name, value in kept.items()}

    def at(self, place: Place) -> "Hit":
        return replace(self, page=place.page, heading=place.heading, fragment=place.fragment)


def hit_of(passage: Passage, lang: str) -> Hit:
    """The passage as a hit of no search: without vector and scores."""
    place, nothing = passage.place, np.zeros(0, dtype=np.float32)
    ids = (passage.chunk_id, passage.doc_id, passage.doc_version, passage.source_id, passage.title, passage.url)
    return Hit(
        *ids,
        place.page,
        place.heading,
        place.fragment,
        lang,
        passage.text,
        start=0,
        end=len(passage.text),
        vector=nothing,
    )


@dataclass(slots=True)
class Retrieval:
    """The passages selected for one question, best first, with the evidence that they answer it.

    `raw_confidence` is SPEC's C before calibration: (mean cosine of the selected + 1) / 2, clipped to [0, 1].
    `features` are the input of `core.answer.confidence.Calibration`: those of the passages, and those of the quotes
    once they are chosen. `weights` are those of the index's terms; `embedder` is the one that embedded the question.
    `quotes` are kept by `core.answer.evidence`, None before it chose them: comparing sentences is most of an answer.
    """

    question: Question
    hits: list[Hit]
    raw_confidence: float
    features: dict[str, float]
    query_vector: Vector = field(repr=False)
    weights: TermWeights = field(repr=False)
    seconds: float = 0.0
    embedder: QueryEmbedder | None = field(default=None, repr=False)
    quotes: Sequence[Any] | None = field(default=None, repr=False)

    @property
    def language(self) -> str:
        return self.question.language
