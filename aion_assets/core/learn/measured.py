"""Everything that golden questions tell of a retriever and its calibration, question by question.

Daily metrics, reports and gates read the same figures. Two measurements on the same questions can be paired.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.evidence import evidence_of, quotes_of
from aion_assets.core.learn.evaluate import K
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.metrics import auroc, exact_match, mrr_at_k, ndcg_at_k, recall_at_k, token_f1
from aion_assets.core.learn.recalibration import PRESENT_SHARE
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.search.selection import best_per_document

_BINS = 10
# Of the confidence so many questions tell enough, and each costs two more searches.
_MOST_JUDGED = 300
# A median of so many searches is steady.
_MOST_TIMED = 60
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Measured:
    """`ndcg`, `mrr`, `recall`, `found` (whether the candidates hold a right document at all) and `oracle` (the best
    nDCG of the order as served and those by a single score, about what weighing them anew can reach; empty where it
    was not measured yet) have one number for each answerable question, in the order of `query_ids`. `present` and
    `absent` are calibrated confidences of the first questions: with the right documents, and with them hidden or for a
    question that has none. `f1` and `em` compare the first quote with the expected answer, of those of them that have
    one.
    """

    query_ids: list[str] = field(default_factory=list)
    ndcg: list[float] = field(default_factory=list)
    mrr: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    present: list[float] = field(default_factory=list)
    absent: list[float] = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    em: list[float] = field(default_factory=list)
    oracle: list[float] = field(default_factory=list)

    @property
    def auroc(self) -> float:
        """Of the confidence: whether an answer that is there scores above one that is not."""
        return auroc(self.present, self.absent)

    @property
    def ece(self) -> float:
        return expected_calibration_error(self.present, self.absent)

    def figures(self) -> dict[str, float]:
        """Means, the median time of a search, and AUROC and ECE of the confidence; nothing of no questions."""
        lists = {f"ndcg@{K}": self.ndcg, f"mrr@{K}": self.mrr, f"recall@{K}": self.recall, "candidates": self.found}
        lists |= {"answer_f1": self.f1, "answer_em": self.em}
        found = {name: statistics.fmean(values) for name, values in lists.items() if values}
        if self.present and self.absent:
            found |= {"auroc": self.auroc, "ece": self.ece}
        if self.search_ms:
            found["search_p50_ms"] = statistics.median(self.search_ms)
        return {name: round(value, 4) for name, value in found.items()}

    def to_json(self) -> dict[str, Any]:
        return {
            name: values if name == "query_ids" else [round(value, 5) for value in values]
            for name, values in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Measured":
        return cls(**data)


def measure(
    retriever: Retriever,
    calibration: Calibration,
    questions: Sequence[LabelledQuestion],
    progress: Progress = lambda done, total: None,
) -> Measured:
    """`relevant` of the questions names doc_ids."""
    result = Measured()
    for number, question in enumerate(questions, 1):
        if question.answerable:
            _judge(result, retriever, question)
        if len(result.absent) < _MOST_JUDGED:
            hidden = frozenset(question.relevant)
            if question.answerable:
                _judge_answer(result, retriever, calibration, question)
            result.absent.append(_confidence(retriever, calibration, question.text, hidden))
        progress(number, len(questions))
    return result


def measure_order(retriever: Retriever, questions: Sequence[LabelledQuestion]) -> Measured:
    """The same without the confidence."""
    result = Measured()
    for question in questions:
        if question.answerable:
            _judge(result, retriever, question)
    return result


def time_searches(
    retrievers: Sequence[Retriever], measured: Sequence[Measured], questions: Sequence[LabelledQuestion]
) -> None:
    """Time the searches of these retrievers turn by turn, so that what else the machine does slows all of them."""
    for result in measured:
        result.search_ms = []
    for question in questions[:_MOST_TIMED]:
        for retriever, result in zip(retrievers, measured, strict=True):
            started = time.monotonic()
            retriever.candidates(question.text)
            result.search_ms.append(1000 * (time.monotonic() - started))


def expected_calibration_error(present: Sequence[float], absent: Sequence[float]) -> float:
    """Naeini et al. 2015, over ten equal intervals: Σ |share that is true − mean confidence| · share of the cases.
    Cases count as often as such questions are asked.
    """
    if not present or not absent:
        return 0.0
    kinds = ((present, 1.0, PRESENT_SHARE), (absent, 0.0, 1 - PRESENT_SHARE))
    cases = [(value, truth, share / len(values)) for values, truth, share in kinds for value in values]
    error = 0.0
    for place in range(_BINS):
        inside = [case for case in cases if min(int(case[0] * _BINS), _BINS - 1) == place]
        error += abs(sum(weight * (said - truth) for said, truth, weight in inside))
    return error


def squared_errors(measured: Measured) -> list[float]:
    """Of each case of the confidence (Brier 1950), weighed by how often such questions are asked; their mean is the
    Brier score.
    """
    cases = len(measured.present) + len(measured.absent)
    kinds = ((measured.present, 1.0, PRESENT_SHARE), (measured.absent, 0.0, 1 - PRESENT_SHARE))
    return [(value - truth) ** 2 * share * cases / len(values) for values, truth, share in kinds for value in values]


def _judge(result: Measured, retriever: Retriever, question: LabelledQuestion) -> None:
    started = time.monotonic()
    hits = retriever.candidates(question.text)
    result.search_ms.append(1000 * (time.monotonic() - started))
    found = [hit.doc_id for hit in best_per_document(hits)]
    result.query_ids.append(question.query_id)
    result.ndcg.append(ndcg_at_k(found, question.relevant, K))
    result.mrr.append(mrr_at_k(found, question.relevant, K))
    result.recall.append(recall_at_k(found, question.relevant, K))
    result.found.append(float(not question.relevant.keys().isdisjoint(found)))
    result.oracle.append(max(ndcg_at_k(order, question.relevant, K) for order in (found, *_single_orders(hits))))


def _single_orders(hits: Sequence[Hit]) -> Iterator[list[str]]:
    """Documents as one score alone would order them."""
    for score in (attrgetter("dense"), attrgetter("lexical"), attrgetter("reading")):
        yield list(dict.fromkeys(hit.doc_id for hit in sorted(hits, key=score, reverse=True)))


def _judge_answer(result: Measured, retriever: Retriever, calibration: Calibration, question: LabelledQuestion) -> None:
    retrieval = retriever.retrieve(question.text)
    quotes = quotes_of(retrieval)
    result.present.append(calibration.confidence(retrieval.features, retrieval.language))
    if question.answers:
        said = quotes[0].text if quotes else ""
        result.f1.append(token_f1(said, question.answers))
        result.em.append(exact_match(said, question.answers))


def _confidence(retriever: Retriever, calibration: Calibration, text: str, hidden: frozenset[str]) -> float:
    retrieval = retriever.retrieve(text, hidden_docs=hidden)
    return calibration.confidence(evidence_of(retrieval), retrieval.language)
