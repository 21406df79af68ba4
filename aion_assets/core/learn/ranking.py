"""Learn the weights of the ranker on labelled questions. It takes seconds, so it is the first of the learners."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.language.question import Question
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.ranker import Ranker, Scores
from aion_assets.core.search.retriever import Retriever

# With fewer labelled questions in a language, chance would decide.
MIN_LABELLED = 30
# Pull towards the weights of the start, in questions: enough that a feature which the questions do not know stays.
RIDGE = 1.0
# Sharpness of the softmax over the scores of the start, of which the best is taken.
_SHARPNESS = tuple(float(value) for value in np.geomspace(2.0, 200.0, 41))


@dataclass(frozen=True, slots=True)
class RankedList:
    """What was found for one question. `features` are (n, RANKING_FEATURES) of `Ranker.features`; `relevance` is (n,),
    the grade of each row, 0 for the wrong ones. A row stands for a document: one of its passages, the best. `language`
    is that whose weights ranked it, as `Ranker.kind` has it. `weight` says how much the question counts.
    """

    features: Scores
    relevance: NDArray[np.float64]
    language: str
    weight: float = 1.0


def ranked_list(
    retriever: Retriever, question: LabelledQuestion, identify: Callable[[Hit], str] = lambda hit: hit.url
) -> RankedList:
    """`identify` returns the key by which `relevant` of the question names the document of a hit."""
    return list_of(question, retriever.candidates(question.text), retriever.ranker, identify)


def list_of(
    question: LabelledQuestion, hits: Sequence[Hit], ranker: Ranker, identify: Callable[[Hit], str]
) -> RankedList:
    """`hits` are all candidates of the question, in any order."""
    language = Question.read(question.text).language
    ranked = ranker.ranked(hits, language)
    features = ranker.features(ranked, language)
    best: dict[str, int] = {}
    for row, hit in enumerate(ranked):
        best.setdefault(hit.doc_id, row)
    rows = [*best.values()]
    relevance = np.array([question.relevant.get(identify(ranked[row]), 0) for row in rows], dtype=np.float64)
    return RankedList(features[rows], relevance, ranker.kind(features, language))


def ranked_lists(
    retriever: Retriever, questions: Iterable[LabelledQuestion], identify: Callable[[Hit], str] = lambda hit: hit.url
) -> list[RankedList]:
    return [ranked_list(retriever, question, identify) for question in questions]


def fit_ranker(
    lists: Sequence[RankedList],
    start: Ranker,
    *,
    ridge: float = RIDGE,
    min_lists: int = MIN_LABELLED,
    fitted_on: Mapping[str, Any] | None = None,
) -> Ranker:
    """The weights that make the right rows of the lists likeliest; languages with fewer than `min_lists` lists keep
    those of the start. The same lists give the same weights.

    Listwise softmax cross-entropy (Cao et al. 2007; the gains 2^grade − 1 over their sum are what is aimed at) plus
    ridge · |θ − s·start|² / 2, where s makes the start itself likeliest. The weights are θ over its sum.
    """
    languages = sorted({item.language for item in lists})
    learned: dict[str, Scores] = {}
    questions = 0
    for language in languages:
        # Without a right row, or with nothing but right ones, there is no order to learn.
        usable = [item for item in lists if item.language == language and 0 < _right(item) < len(item.relevance)]
        if len(usable) >= min_lists:
            learned[language] = _fitted(_Lists(usable), start.shares(language), ridge)
            questions += len(usable)
    if not learned:
        return start
    return start.with_shares(learned, {**(fitted_on or {}), "questions": questions})


def _right(item: RankedList) -> int:
    return int(np.count_nonzero(item.relevance > 0))


class _Lists:
    """All lists as one matrix; `starts` are the rows where each begins."""

    def __init__(self, lists: Sequence[RankedList]) -> None:
        self.features = np.concatenate([item.features for item in lists])
        lengths = np.array([len(item.relevance) for item in lists])
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self._of_row = np.repeat(np.arange(len(lists)), lengths)
        self.weights = np.array([item.weight for item in lists])
        gains = np.exp2(np.concatenate([item.relevance for item in lists])) - 1
        self.aims = gains / np.add.reduceat(gains, self.starts)[self._of_row]

    def loss(self, theta: Scores) -> tuple[float, Scores]:
        """Cross-entropy, summed over the lists by weight, and its gradient (features,)."""
        scores = self.features @ theta
        scores = scores - np.maximum.reduceat(scores, self.starts)[self._of_row]
        exponentials = np.exp(scores)
        sums = np.add.reduceat(exponentials, self.starts)
        weights = self.weights[self._of_row]
        value = float((weights * self.aims * (np.log(sums)[self._of_row] - scores)).sum())
        return value, self.features.T @ (weights * (exponentials / sums[self._of_row] - self.aims))


def _fitted(lists: _Lists, start: Scores, ridge: float) -> Scores:
    """Shares that sum to 1."""
    from scipy.optimize import minimize

    centre = start * min(_SHARPNESS, key=lambda sharpness: lists.loss(start * sharpness)[0])

    def penalised(theta: Scores) -> tuple[float, Scores]:
        value, gradient = lists.loss(theta)
        apart = theta - centre
        return value + ridge * float(apart @ apart) / 2, gradient + ridge * apart

    found = minimize(penalised, centre, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(start))
    theta: Scores = np.asarray(found.x, dtype=np.float64)
    return theta / theta.sum() if theta.sum() > 0 else start
