"""Choose the fusion weights on labelled questions, if there are enough."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from aion_assets.core.language.identify import ENGLISH
from aion_assets.core.language.question import Question
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
    """The weights of the vectors with the best nDCG@10, by language; all else is as the retriever has it. Languages
    with too few questions keep the weight that they have.

    Every question is searched once: another weight only mixes the same scores again.
    """
    curves: dict[str, list[Scores]] = defaultdict(list)
    for question in questions:
        asked = Question.read(question.text)
        curve = _ndcg_by_weight(retriever, asked, question.relevant, identify)
        curves[asked.language].append(curve)
    best = {
        language: WEIGHTS[int(_smoothed(np.mean(found, axis=0)).argmax())]
        for language, found in curves.items()
        if len(found) >= MIN_LABELLED
    }
    before = retriever.fusion
    return replace(
        before,
        dense_weight_pt=next(
            (weight for language, weight in best.items() if language != ENGLISH), before.dense_weight_pt
        ),
        dense_weight_en=best.get(ENGLISH, before.dense_weight_en),
        tuned_on=sum(len(curves[language]) for language in best),
    )


def _ndcg_by_weight(
    retriever: Retriever, asked: Question, relevant: Mapping[str, int], identify: Callable[[Hit], str]
) -> Scores:
    hits = retriever.candidates(asked)
    dense = np.array([hit.dense for hit in hits])
    lexical = np.array([hit.lexical for hit in hits])
    reading = np.array([hit.reading for hit in hits])
    gains = []
    for weight in WEIGHTS:
        mix = replace(retriever.fusion, dense_weight_pt=weight, dense_weight_en=weight)
        scores = mix_sections(hits, fuse(dense, lexical, reading, mix, asked.language), mix.sections_weight)
        order = np.argsort(-scores, kind="stable")
        found = [identify(hit) for hit in best_per_document([hits[index] for index in order])]
        gains.append(ndcg_at_k(found, relevant, K))
    return np.array(gains)


def _smoothed(curve: Scores) -> Scores:
    """Average each value with its neighbours: a flat top is a safer choice than a peak."""
    padded = np.pad(curve, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3
