"""Choose the fusion weights on labelled questions, if there are enough."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from aion_assets.core.language.question import ENGLISH, question_language
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.metrics import ndcg_at_k
from aion_assets.core.search.fusion import FusionConfig, Scores, fuse
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.search.sections import mix_sections
from aion_assets.core.search.selection import best_per_document

K = 10
WEIGHTS = tuple(round(0.1 * step, 1) for step in range(11))
# With fewer labelled questions in a language, chance would decide.
MIN_LABELLED = 30


def tune_fusion(
    retriever: Retriever, questions: Sequence[LabelledQuestion], identify: Callable[[Hit], str] = lambda hit: hit.url
) -> FusionConfig:
    """The weights with the best nDCG@10, by language. Languages with too few questions keep the built-in ones.

    Every question is searched once: another weight only mixes the same scores again.
    """
    curves: dict[str, list[Scores]] = defaultdict(list)
    for question in questions:
        hits = retriever.candidates(question.text)
        curves[question_language(question.text)].append(_ndcg_by_weight(hits, question.relevant, identify))
    best = {
        language: WEIGHTS[int(_smoothed(np.mean(found, axis=0)).argmax())]
        for language, found in curves.items()
        if len(found) >= MIN_LABELLED
    }
    default = FusionConfig()
    return FusionConfig(
        dense_weight_pt=next(
            (weight for language, weight in best.items() if language != ENGLISH), default.dense_weight_pt
        ),
        dense_weight_en=best.get(ENGLISH, default.dense_weight_en),
        tuned_on=sum(len(curves[language]) for language in best),
    )


def _ndcg_by_weight(hits: Sequence[Hit], relevance: Mapping[str, int], identify: Callable[[Hit], str]) -> Scores:
    dense = np.array([hit.dense for hit in hits])
    lexical = np.array([hit.lexical for hit in hits])
    reading = np.array([hit.reading for hit in hits])
    default, gains = FusionConfig(), []
    for weight in WEIGHTS:
        scores = fuse(dense, lexical, reading, dense_weight=weight, reading_weight=default.reading_weight)
        scores = mix_sections(hits, scores, default.sections_weight)
        order = np.argsort(-scores, kind="stable")
        found = [identify(hit) for hit in best_per_document([hits[index] for index in order])]
        gains.append(ndcg_at_k(found, relevance, K))
    return np.array(gains)


def _smoothed(curve: Scores) -> Scores:
    """Average each value with its neighbours: a flat top is a safer choice than a peak."""
    padded = np.pad(curve, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3
