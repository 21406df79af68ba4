"""Prefer the page on a subject: many of its sections speak of the question.

A page that mentions something once may hold more words of a question than any single passage of the page that is about
it. Mixing in the score of the whole page corrects that; site-rust-book, site-rails-guides and site-git-docs in
docs/experiments.md measure it. Documents without sections, such as passages of a dump, stay as they are: a second
passage of those tells nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from aion_assets.core.search.fusion import Scores
from aion_assets.core.search.hits import Hit

# Weight of each further section, relative to the one before it.
_DISCOUNT = 0.5


def mix_sections(hits: Sequence[Hit], scores: Scores, weight: float) -> Scores:
    """(len(hits),) in [0, 1]: the passages' own `scores`, mixed with those of their documents, which have the share
    `weight`.

    A document scores Σ s₍ᵢ₎ · _DISCOUNTⁱ over the best scores s₍₀₎ ≥ s₍₁₎ ≥ … of its sections, over the best sum.
    """
    sections: dict[str, dict[str, float]] = defaultdict(dict)
    for hit, score in zip(hits, scores.tolist(), strict=True):
        of_document = sections[hit.doc_id]
        of_document[hit.heading] = max(score, of_document.get(hit.heading, 0.0))
    documents = {doc_id: _discounted_sum(found.values()) for doc_id, found in sections.items()}
    best = max(documents.values(), default=0.0)
    if best <= 0:
        return scores
    return (1 - weight) * scores + weight * np.array([documents[hit.doc_id] / best for hit in hits])


def _discounted_sum(scores: Iterable[float]) -> float:
    return sum(score * _DISCOUNT**rank for rank, score in enumerate(sorted(scores, reverse=True)))
