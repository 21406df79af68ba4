"""Which of the candidates are kept."""

from collections.abc import Sequence

import numpy as np

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.terms import terms

# Spares comparing words: passages of a book repeated under another title had cosines of .90 and more.
_REPEAT_COSINE = 0.88


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


def without_repeats(hits: Sequence[Hit]) -> list[Hit]:
    """Without passages whose every content word stands in a passage of another document that is kept.

    A page that gathers others, such as the print view of a book, holds their passages again. Of two, the one nearer to
    the beginning of its document is kept, which is that of the page on the subject itself. A passage that differs by
    as much as a number is no repeat. `hits` and the result are by falling score.
    """
    kept: list[Hit] = []
    for hit in hits:
        place = next((place for place, other in enumerate(kept) if _repeats(hit, other)), None)
        if place is None:
            kept.append(hit)
        elif hit.start < kept[place].start:
            hit.score = kept[place].score
            kept[place] = hit
    return kept


def _repeats(one: Hit, other: Hit) -> bool:
    if one.doc_id == other.doc_id or float(one.vector @ other.vector) < _REPEAT_COSINE:
        return False
    words, others = (set(terms(hit.text, one.lang)) for hit in (one, other))
    return words <= others or others <= words


def best_per_document(hits: Sequence[Hit]) -> list[Hit]:
    """The first of every document, in the order given."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.doc_id, hit)
    return list(first.values())
