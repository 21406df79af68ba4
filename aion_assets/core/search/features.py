"""Evidence that the passages of a retrieval answer the question. No feature depends on the size of the corpus."""

from collections.abc import Sequence

import numpy as np

from aion_assets.core.language.question import Question
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.selection import best_per_document
from aion_assets.core.search.weights import TermWeights

# In the order of the coefficients of `core.answer.confidence.Model`. Left out, because they helped on no set that the
# model was not fitted on: the best and the mean cosine of all, the best full-text score, agreement of the two lists,
# question length, coverage by two sentences, the rarest missing term.
FEATURES = (
    "best_cosine",  # of the passage ranked first
    "cosine_gap",  # from the nearest to the tenth
    "lexical_gap",  # fall from the best full-text score to the tenth, over the best
    "lexical_margin",  # the same fall to the best of the next document
    "passage_coverage",  # weight of the question's terms that the passage ranked first holds
    "coverage_contrast",  # best coverage of the first three passages over the mean of the next seven
    "sentence_coverage",  # by the best sentence of the first three passages
    "pair_coverage",  # of neighbouring terms of the question, by neighbouring terms of a sentence
    "missing_share",  # of the weight of the question's terms that none of the first five passages has
    "best_score",  # mixed score of the passage ranked first
    "score_margin",  # from it to the best of the next document
)
_TOP = 10
_READ = 3
_SEEN = 5


def evidence(question: Question, ranked: Sequence[Hit], weights: TermWeights) -> dict[str, float]:
    """FEATURES by name; empty when nothing was found. `ranked` are all candidates by falling score."""
    if not ranked:
        return {}
    wanted = weights.wanted(question.terms)
    passages = [weights.terms(f"{hit.title} {hit.heading} {hit.text}") for hit in ranked[:_TOP]]
    sentences = [
        weights.terms(hit.text[start:end]) for hit in ranked[:_READ] for start, end in sentence_spans(hit.text)
    ]
    coverages = [wanted.coverage(passage) for passage in passages]
    seen = {term for passage in passages[:_SEEN] for term in passage}
    dense = np.sort([hit.dense for hit in ranked])[::-1]
    lexical = np.sort([hit.lexical for hit in ranked])[::-1]
    next_document = [hit.lexical for hit in best_per_document(sorted(ranked, key=lambda hit: -hit.lexical))[1:2]]
    others = best_per_document(ranked)[1:2]
    tenth = min(len(ranked), _TOP) - 1
    return {
        "best_cosine": ranked[0].dense,
        "cosine_gap": float(dense[0] - dense[tenth]),
        "lexical_gap": _fall(lexical[0], lexical[tenth]),
        "lexical_margin": _fall(lexical[0], next_document[0] if next_document else 0.0),
        "passage_coverage": coverages[0],
        "coverage_contrast": max(coverages[:_READ]) - float(np.mean(coverages[_READ:] or [0.0])),
        "sentence_coverage": max((wanted.coverage(sentence) for sentence in sentences), default=0.0),
        "pair_coverage": max((wanted.pair_coverage(sentence) for sentence in sentences), default=0.0),
        "missing_share": 1 - wanted.coverage(seen) if question.terms else 0.0,
        "best_score": ranked[0].score,
        "score_margin": ranked[0].score - (others[0].score if others else 0.0),
    }


def _fall(best: float, other: float) -> float:
    return float((best - other) / best) if best > 0 else 0.0
