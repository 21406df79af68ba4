"""Which of the candidates are kept."""

from collections.abc import Sequence

import numpy as np

from aion_assets.core.search.hits import Hit


def select_diverse(hits: Sequence[Hit], k: int, balance: float = 0.7) -> list[Hit]:
    """Maximal marginal relevance: argmax λ·sim(q,d) − (1−λ)·max sim(d,d′), λ = `balance`.

    sim(q,d) is the fused score, which knows more of it than the cosine alone. What is selected keeps the order of
    relevance: diversity decides who is heard, never who is heard first.
    """
    if not hits:
        return []
    relevance = np.array([hit.score for hit in hits])
    vectors = np.stack([hit.vector for hit in hits])
    similarity = vectors @ vectors.T
    chosen: list[int] = []
    closest = np.zeros(len(hits))
    gain = balance * relevance
    while len(chosen) < min(k, len(hits)):
        best = int((gain - (1 - balance) * closest).argmax())
        chosen.append(best)
        gain[best] = -np.inf
        closest = np.maximum(closest, similarity[best])
    return [hits[index] for index in sorted(chosen)]


def best_per_document(hits: Sequence[Hit]) -> list[Hit]:
    """The first of every document, in the order given."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.doc_id, hit)
    return list(first.values())
