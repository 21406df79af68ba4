"""How much of a question a passage holds.

BM25 counts words wherever they stand, and cosines compare gists. Neither sees that a passage holds the rare words of
the question side by side, below a heading that says the same. This score does. It helps most where one base holds
several sites.
"""

from collections.abc import Sequence

import numpy as np

from aion_assets.core.language.question import Question
from aion_assets.core.search.fusion import Scores
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights, WantedTerms

# Weights of the passage with title and heading, of these two alone, of neighbouring terms, of the language. Their sum
# is 1.
_COVERAGE, _HEADED, _PAIRS, _LANGUAGE = 0.375, 0.25, 0.25, 0.125


def reading_scores(question: Question, hits: Sequence[Hit], weights: TermWeights) -> Scores:
    """(len(hits),) in [0, 1]."""
    wanted = weights.wanted(question.terms)
    return np.array([_score(wanted, hit, weights) for hit in hits], dtype=np.float64)


def _score(wanted: WantedTerms, hit: Hit, weights: TermWeights) -> float:
    above = weights.terms(f"{hit.title} {hit.heading}")
    passage = above + weights.terms(hit.text)
    return (
        _COVERAGE * wanted.coverage(passage)
        + _HEADED * wanted.coverage(above)
        + _PAIRS * wanted.pair_coverage(passage)
        + _LANGUAGE * weights.are_for(hit.lang)
    )
