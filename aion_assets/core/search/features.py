"""What a retrieval tells of whether the passages answer the question. Every feature is free of scale."""

from collections.abc import Sequence

import numpy as np

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.terms import TermWeights, terms
from aion_assets.core.sentences import sentence_spans

_TOP = 10


def evidence(question: str, ranked: Sequence[Hit], weights: TermWeights) -> dict[str, float]:
    """`ranked` are all candidates by falling score."""
    if not ranked:
        return {}
    wanted = terms(question)
    best = ranked[:3]
    dense = np.sort([hit.dense for hit in ranked])[::-1]
    lexical = np.sort([hit.lexical for hit in ranked])[::-1]
    by_dense = {hit.chunk_id for hit in sorted(ranked, key=lambda hit: -hit.dense)[:_TOP]}
    by_lexical = {hit.chunk_id for hit in sorted(ranked, key=lambda hit: -hit.lexical)[:_TOP] if hit.lexical > 0}
    passages = [weights.coverage(wanted, terms(f"{hit.title} {hit.heading} {hit.text}")) for hit in best]
    sentences = [
        weights.coverage(wanted, terms(hit.text[start:end])) for hit in best for start, end in sentence_spans(hit.text)
    ]
    bound = sum(weights.weight(term) for term in wanted)
    return {
        "top_cosine": float(dense[0]),
        "mean_cosine": float(dense[:_TOP].mean()),
        "cosine_gap": float(dense[0] - dense[min(len(dense) - 1, _TOP - 1)]),
        "best_cosine": ranked[0].dense,
        "lexical_top": float(lexical[0] / bound) if bound else 0.0,
        "lexical_gap": float(1 - lexical[min(len(lexical) - 1, _TOP - 1)] / lexical[0]) if lexical[0] > 0 else 0.0,
        "agreement": len(by_dense & by_lexical) / _TOP,
        "passage_coverage": passages[0],
        "best_passage_coverage": max(passages),
        "sentence_coverage": max(sentences, default=0.0),
        "question_terms": float(np.log1p(len(wanted))),
    }
