"""Measures of retrieval and of answers, as the literature defines them."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_ARTICLES = frozenset("a an the o os as um uma uns umas".split())
_BOOTSTRAP_SAMPLES = 2_000
_LONG_ANSWER = 10
# Sentences of the passages of clapnq share less than half of their words with an expected answer, or more than nine
# tenths; few lie between.
_PART, _MIN_PART = 0.6, 5


def ndcg_at_k(found: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    """Gains 2^rel − 1, discounts log2(rank + 1) (Burges et al. 2005), over the best order possible."""
    gained = _discounted([relevance.get(item, 0) for item in found[:k]])
    best = _discounted(sorted(relevance.values(), reverse=True)[:k])
    return gained / best if best > 0 else 0.0


def _discounted(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def mrr_at_k(found: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    """1 / rank of the first relevant item, 0 when none is among the first k."""
    return next((1 / rank for rank, item in enumerate(found[:k], start=1) if relevance.get(item, 0) > 0), 0.0)


def recall_at_k(found: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    wanted = {item for item, grade in relevance.items() if grade > 0}
    return len(wanted & set(found[:k])) / len(wanted) if wanted else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Probability that a positive scores above a negative, ties counting half (Mann-Whitney); nan without either."""
    if not positive or not negative:
        return math.nan
    low = np.sort(np.asarray(negative, dtype=np.float64))
    high = np.asarray(positive, dtype=np.float64)
    below, not_above = np.searchsorted(low, high, side="left"), np.searchsorted(low, high, side="right")
    return float((below + not_above).mean() / 2 / len(low))


def normalised_words(text: str) -> list[str]:
    """SQuAD's normalisation for Portuguese and English: lower case, no accents, no punctuation, no articles."""
    folded = "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))
    return [word for word in re.findall(r"\w+", folded) if word not in _ARTICLES]


def exact_match(answer: str, truths: Sequence[str]) -> float:
    words = normalised_words(answer)
    return float(any(words == normalised_words(truth) for truth in truths))


def token_f1(answer: str, truths: Sequence[str]) -> float:
    """Harmonic mean of the precision and recall of words, against the expected answer that it matches best."""
    return max((_f1(normalised_words(answer), normalised_words(truth)) for truth in truths), default=0.0)


def holds_answer(text: str, truths: Sequence[str]) -> float:
    """1 where an expected answer stands in the text word by word. One with more than _LONG_ANSWER words is rarely a
    stretch of one sentence: of such an answer half of its words stand in the text, or the text is a part of it, which
    _PART of the text's words tell.
    """
    words = normalised_words(text)
    return float(any(_holds(words, normalised_words(truth)) for truth in truths))


def _holds(words: Sequence[str], truth: Sequence[str]) -> bool:
    if not truth:
        return False
    if len(truth) <= _LONG_ANSWER:
        return any(list(words[at : at + len(truth)]) == list(truth) for at in range(len(words) - len(truth) + 1))
    found, expected = {*words}, {*truth}
    shared = len(found & expected)
    return shared >= len(expected) / 2 or (len(found) >= _MIN_PART and shared >= _PART * len(found))


def _f1(answer: Sequence[str], truth: Sequence[str]) -> float:
    if not answer or not truth:
        return float(answer == truth)
    shared = sum((Counter(answer) & Counter(truth)).values())
    return 2 * shared / (len(answer) + len(truth))


def paired_bootstrap(
    before: Sequence[float], after: Sequence[float], *, seed: int = 0, level: float = 0.95
) -> tuple[float, float, float]:
    """Mean gain of `after` over `before` on the same questions, and the bounds of its `level` interval."""
    gains: NDArray[np.float64] = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    if len(gains) == 0:
        return 0.0, 0.0, 0.0
    rows = np.random.default_rng(seed).integers(0, len(gains), size=(_BOOTSTRAP_SAMPLES, len(gains)))
    low, high = np.quantile(gains[rows].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(gains.mean()), float(low), float(high)
