"""Select among the candidates."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.language.terms import terms
from aion_assets.core.search.hits import Hit

# Spares comparing words. Repeats under another title have a higher cosine than this.
_REPEAT_COSINE = 0.88
# A page that gathers pages repeats a passage at least so much farther from its beginning.
_FAR_CHARS = 2_000
# Candidates farther down are not shown, and the comparisons grow with the square.
_COMPARED = 128


def select_diverse(hits: Sequence[Hit], k: int, balance: float = 0.7) -> list[Hit]:
    """Maximal marginal relevance: argmax λ·sim(q,d) − (1−λ)·max sim(d,d′), λ = `balance`.

    sim(q,d) is the score, which knows more than the cosine alone. The selected hits keep the order of relevance:
    diversity decides which are shown, never which comes first.
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
    """Drop passages whose every content word is in a kept passage of another document.

    Of two, the one nearer to the beginning of its document is kept: that is the page on the subject itself. A passage
    with a different number is no repeat. `hits` and the result are by falling score.
    """
    alike = _alike(hits)
    kept: list[int] = []
    for index, hit in enumerate(hits):
        repeated = (at for at, other in enumerate(kept) if alike[index, other] and _repeats(hit, hits[other]))
        place = next(repeated, None)
        if place is None:
            kept.append(index)
        elif hit.start < hits[kept[place]].start:
            hit.score = hits[kept[place]].score
            kept[place] = index
    return [hits[index] for index in kept]


def without_gathered(hits: Sequence[Hit]) -> list[Hit]:
    """Drop the repeats in pages that gather other pages, such as the print view of a book.

    A gathering page repeats passages of several documents, far from its own beginning. Two editions of one text do not
    gather, wherever the passage is in them. `hits` and the result are by falling score.
    """
    compared = hits[:_COMPARED]
    repeats: list[tuple[int, int]] = []
    for one, other in np.argwhere(np.triu(_alike(compared), 1)).tolist():
        near, far = sorted((one, other), key=lambda index: compared[index].start)
        apart = compared[far].start - compared[near].start
        if apart >= _FAR_CHARS and _repeats(compared[near], compared[far]):
            repeats.append((near, far))
    repeated_by: dict[str, set[str]] = defaultdict(set)
    for near, far in repeats:
        repeated_by[compared[far].doc_id].add(compared[near].doc_id)
    gathered = {far for _, far in repeats if len(repeated_by[compared[far].doc_id]) > 1}
    return [hit for index, hit in enumerate(hits) if index not in gathered]


def _alike(hits: Sequence[Hit]) -> NDArray[np.bool_]:
    """(len(hits), len(hits)): whether two vectors are near enough for comparing the words."""
    if not hits:
        return np.zeros((0, 0), dtype=np.bool_)
    vectors = np.stack([hit.vector for hit in hits])
    near: NDArray[np.bool_] = vectors @ vectors.T >= _REPEAT_COSINE
    return near


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
