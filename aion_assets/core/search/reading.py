"""How much of a question a passage holds.

BM25 counts words wherever they stand, and cosines compare gists. Neither sees that a passage holds the rare words of
the question side by side, below a heading that says the same. These features do. They help most where one
base holds several sites.
"""

from collections.abc import Sequence

from aion_assets.core.language.question import Question
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights, WantedTerms

READING_FEATURES = (
    "coverage",  # weight of the question's terms that the passage holds, title and heading included
    "headed",  # the same of title and heading alone
    "pairs",  # of neighbouring terms of the question, by neighbouring terms of the passage
    "language",  # 1 for a passage in the language of the question
)
# The reading as one figure, for the record.
READING_SHARES = dict(zip(READING_FEATURES, (0.375, 0.25, 0.25, 0.125), strict=True))


def readings(question: Question, hits: Sequence[Hit], weights: TermWeights) -> list[tuple[float, ...]]:
    """READING_FEATURES of every passage, in [0, 1]."""
    wanted = weights.wanted(question.terms)
    return [_reading(wanted, hit, weights) for hit in hits]


def reading_score(read: Sequence[float]) -> float:
    return sum(share * value for share, value in zip(READING_SHARES.values(), read, strict=True))


def _reading(wanted: WantedTerms, hit: Hit, weights: TermWeights) -> tuple[float, ...]:
    above = weights.terms(f"{hit.title} {hit.heading}")
    passage = above + weights.terms(hit.text)
    return (
        wanted.coverage(passage),
        wanted.coverage(above),
        wanted.pair_coverage(passage),
        float(weights.are_for(hit.lang)),
    )
