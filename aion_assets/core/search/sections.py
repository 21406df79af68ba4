"""Prefer the page on a subject: many of its sections speak of the question.

A page that mentions something once may hold more words of a question than any single passage of the page that is about
it. Mixing in the score of the whole page corrects that; site-rust-book, site-rails-guides and site-git-docs in
docs/experiments.md measure it. Documents without sections, such as passages of a dump, stay as they are: a second
passage of those tells nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.search.hits import Hit

Scores = NDArray[np.float64]

# Weight of each further section, relative to the one before it.
_DISCOUNT = 0.5


def section_scores(hits: Sequence[Hit], scores: Scores) -> Scores:
    """(len(hits),) in [0, 1]: what the document of every passage scores, over the best document; `scores` are those of
    the passages by themselves.

    A document scores Σ s₍ᵢ₎ · _DISCOUNTⁱ over the best scores s₍₀₎ ≥ s₍₁₎ ≥ … of its sections.
    """
    sections: dict[str, dict[str, float]] = defaultdict(dict)
    for hit, score in zip(hits, scores.tolist(), strict=True):
        of_document = sections[hit.doc_id]
        of_document[hit.heading] = max(score, of_document.get(hit.heading, 0.0))
    documents = {doc_id: _discounted_sum(found.values()) for doc_id, found in sections.items()}
    best = max(documents.values(), default=0.0) or 1.0
    return np.array([documents[hit.doc_id] / best for hit in hits], dtype=np.float64)


def _discounted_sum(scores: Iterable[float]) -> float:
    return sum(score * _DISCOUNT**rank for rank, score in enumerate(sorted(scores, reverse=True)))
