"""Measure retrieval on labelled questions: the one code for bench, reports and gates."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.metrics import mrr_at_k, ndcg_at_k, recall_at_k
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.retriever import Retriever

K = 10
Identify = Callable[[Hit], str]


@dataclass(slots=True)
class Evaluation:
    """Each list has one number for each question, in their order, so that two evaluations can be paired."""

    ndcg: list[float] = field(default_factory=list)
    mrr: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Means at K and the median time of a search; nan without questions."""
        means = {f"ndcg@{K}": self.ndcg, f"mrr@{K}": self.mrr, f"recall@{K}": self.recall}
        summary = {name: _of(statistics.fmean, values) for name, values in means.items()}
        return summary | {"search_p50_ms": _of(statistics.median, self.search_ms)}


def evaluate(retriever: Retriever, questions: Iterable[LabelledQuestion], identify: Identify) -> Evaluation:
    """`identify` returns the key by which `relevant` of a question names the document of a hit."""
    result = Evaluation()
    for question in questions:
        started = time.monotonic()
        found = [identify(hit) for hit in retriever.search(question.text, K)]
        result.search_ms.append(1000 * (time.monotonic() - started))
        _judge(result, found, question.relevant)
    return result


def _judge(result: Evaluation, found: Sequence[str], relevant: Mapping[str, int]) -> None:
    result.ndcg.append(ndcg_at_k(found, relevant, K))
    result.mrr.append(mrr_at_k(found, relevant, K))
    result.recall.append(recall_at_k(found, relevant, K))


def _of(summary: Callable[[list[float]], float], values: list[float]) -> float:
    return float(summary(values)) if values else math.nan
