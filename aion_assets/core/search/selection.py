"""Which of the candidates are kept."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.terms import terms

# Spares comparing words: passages of a book repeated under another title had cosines of .90 and more.
_REPEAT_COSINE = 0.88
# Farther down nobody looks, and what is compared grows with the square.
_COMPARED = 128


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


def without_repeats(hits: Sequence[Hit], apart: int = 0) -> list[Hit]:
    """Without passages whose every content word stands in a passage of another document that is kept.

    A page that gathers others, such as the print view of a book, holds their passages again. Of two, the one nearer to
    the beginning of its document is kept, which is that of the page on the subject itself; those that stand less than
    `apart` characters nearer are both kept. A passage that differs by as much as a number is no repeat. `hits` and the
    result are by falling score.
    """
    compared = hits[:_COMPARED]
    if not compared:
        return []
    vectors = np.stack([hit.vector for hit in compared])
    alike = vectors @ vectors.T >= _REPEAT_COSINE
    kept: list[int] = []
    for index, hit in enumerate(compared):
        repeated = (at for at, other in enumerate(kept) if alike[index, other] and _repeats(hit, compared[other]))
        place = next(repeated, None)
        if place is None or abs(hit.start - compared[kept[place]].start) < apart:
            kept.append(index)
        elif hit.start < compared[kept[place]].start:
            hit.score = compared[kept[place]].score
            kept[place] = index
    return [*(compared[index] for index in kept), *hits[_COMPARED:]]


def _repeats(one: Hit, other: Hit) -> bool:
    if one.doc_id == other.doc_id:
        return False
    words, others = (set(terms(hit.text, one.lang)) for hit in (one, other))
    return words <= others or others <= words


def best_per_document(hits: Sequence[Hit], count: int = 1) -> list[Hit]:
    """The first `count` of every document, in the order given."""
    seen: Counter[str] = Counter()
    kept = []
    for hit in hits:
        seen[hit.doc_id] += 1
        if seen[hit.doc_id] <= count:
            kept.append(hit)
    return kept
