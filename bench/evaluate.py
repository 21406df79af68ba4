"""Measure how well a labelled set is found and answered, through the real pipeline and its release."""

import math
import statistics
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from aion_assets.core.answer.confidence import SURE, Calibration
from aion_assets.core.answer.evidence import evidence_of
from aion_assets.core.answer.extractive import EXTRACTIVE, Answer, answer_question
from aion_assets.core.ids import doc_id
from aion_assets.core.lake.tables import CURATED_DOCUMENTS, DOCUMENTS, PAGES
from aion_assets.core.learn.evaluate import evaluate
from aion_assets.core.learn.labelled import LabelledQuestion, LabelledSet, load_labelled_set
from aion_assets.core.learn.metrics import auroc, exact_match, holds_answer, token_f1
from aion_assets.core.release.releases import current_release
from aion_assets.core.search.ranker import Ranker, halves_only
from aion_assets.core.search.retriever import Retriever
from aion_assets.local.bars import Draw, no_bars
from bench.ingest import TemporaryHome, temporary_home

Figures = dict[str, float | int | str | None]

# Of the confidence: below τ an abstention, from SURE on an answer that needs no second look.
_EDGES = (0.0, 0.4, 0.62, SURE, 0.9, 1.0)


@dataclass(slots=True)
class Bench:
    """A labelled set, indexed and released. `documents` maps the locators of its queries to doc_ids."""

    home: TemporaryHome
    labelled: LabelledSet
    documents: dict[str, str]
    retriever: Retriever
    calibration: Calibration
    seconds: float

    def relevance(self, query: LabelledQuestion) -> dict[str, int]:
        return {self.documents[key]: grade for key, grade in query.relevant.items() if key in self.documents}

    def with_dense_weight(self, weight: float) -> Retriever:
        """A retriever with one half alone: 1 uses only the vectors, 0 only full text. Nothing else counts."""
        return self.retriever.with_ranker(halves_only(weight, self.retriever.ranker.dense_floor))

    def confidence(self, question: str, hidden_docs: Collection[str] = ()) -> float:
        retrieval = self.retriever.retrieve(question, hidden_docs=hidden_docs)
        return self.calibration.confidence(evidence_of(retrieval), retrieval.language)

    def answer(self, question: str, hidden_docs: Collection[str] = ()) -> Answer:
        retrieval = self.retriever.retrieve(question, hidden_docs=hidden_docs)
        return answer_question(retrieval, calibration=self.calibration, tau=self.home.settings.tau_confidence)

    def timed_answers(
        self, questions: Iterable[LabelledQuestion]
    ) -> tuple[list[tuple[LabelledQuestion, Answer]], list[float]]:
        """The answers, and how many milliseconds each took."""
        given, milliseconds = [], []
        for question in questions:
            started = time.monotonic()
            given.append((question, self.answer(question.text)))
            milliseconds.append(1000 * (time.monotonic() - started))
        return given, milliseconds

    def judgeable(self, questions: Iterable[LabelledQuestion]) -> set[str]:
        """The ids of those of which a right document holds an expected answer."""
        rows = self.home.lake.rows(DOCUMENTS.name, ["doc_id", "text"])
        texts = {row["doc_id"]: row["text"] for row in rows}
        return {
            question.query_id
            for question in questions
            if any(holds_answer(texts.get(doc, ""), question.answers) for doc in self.relevance(question))
        }


def open_bench(home: TemporaryHome, labelled: LabelledSet) -> Bench:
    """Take the corpus through every step to a release, and open that release as the server does."""
    started = time.monotonic()
    for address in labelled.addresses:
        home.ingest(home.add(address))
    release = current_release(home.home.database, home.settings.tenant_id)
    table = home.lake.table_at(release.table, release.tag)
    ranker = Ranker.from_json(release.models.ranker)
    retriever = Retriever(table, home.embedder, home.settings.tenant_id, ranker)
    retriever.keep_in_memory()
    return Bench(
        home=home,
        labelled=labelled,
        documents=_documents(home),
        retriever=retriever,
        calibration=Calibration.from_json(release.models.calibration),
        seconds=time.monotonic() - started,
    )


def _documents(home: TemporaryHome) -> dict[str, str]:
    """Locator → doc_id of the indexed document: that of the primary for a duplicate."""
    curated = home.lake.rows(CURATED_DOCUMENTS.name, ["doc_id", "duplicate_of"])
    primary_of = {row["doc_id"]: row["duplicate_of"] or row["doc_id"] for row in curated}
    documents = {row["locator"]: doc_id(row["page_key"]) for row in home.lake.rows(PAGES.name, ["locator", "page_key"])}
    return {locator: primary_of[document] for locator, document in documents.items() if document in primary_of}


@contextmanager
def opened_set(
    folder: Path, limit: int = 0, seed: int = 0, off_topic: Path | None = None, draw: Draw = no_bars
) -> Iterator[tuple[Bench, Sequence[LabelledQuestion]]]:
    """The set, indexed in a temporary home, and the questions of the other set."""
    labelled = load_labelled_set(folder, limit, seed)
    others = load_labelled_set(off_topic, limit or len(labelled.queries), seed).queries if off_topic else []
    with temporary_home(draw) as home:
        yield open_bench(home, labelled), others


def bench_retrieval(
    folder: Path, *, limit: int = 0, seed: int = 0, off_topic: Path | None = None, draw: Draw = no_bars
) -> Figures:
    """The figures of `retrieval_figures` for a folder."""
    with opened_set(folder, limit, seed, off_topic, draw) as (bench, others):
        return retrieval_figures(bench, others, draw)


def bench_answers(
    folder: Path, *, limit: int = 0, seed: int = 0, off_topic: Path | None = None, draw: Draw = no_bars
) -> Figures:
    """The figures of `answer_figures` for a folder."""
    with opened_set(folder, limit, seed, off_topic, draw) as (bench, others):
        return answer_figures(bench, others, draw)


def retrieval_figures(bench: Bench, others: Sequence[LabelledQuestion] = (), draw: Draw = no_bars) -> Figures:
    """nDCG@10, MRR@10 and recall@10 by document, for the hybrid and for its halves; AUROC of the confidence.

    Three kinds of questions stand for absent answers: the set's own unanswerable queries, the same queries with their
    right documents hidden, and the queries of another set.
    """
    labelled = bench.labelled
    judged = [query for query in labelled.queries if query.answerable]
    figures: Figures = {"set": labelled.name, "n": len(judged)}
    for name, retriever in (
        ("", bench.retriever),
        ("dense_", bench.with_dense_weight(1.0)),
        ("full_text_", bench.with_dense_weight(0.0)),
    ):
        ranked = _rank(bench, retriever, _drawn(judged, draw, f"{name or 'hybrid_'}search"))
        figures |= {f"{name}{key}": value for key, value in ranked.items()}
    present = [bench.confidence(query.text) for query in _drawn(judged, draw, "answer present")]
    removed = [
        bench.confidence(query.text, list(bench.relevance(query))) for query in _drawn(judged, draw, "answer removed")
    ]
    unanswerable = [bench.confidence(query.text) for query in labelled.queries if not query.answerable]
    elsewhere = [bench.confidence(query.text) for query in _drawn(others, draw, "off topic")]
    return figures | {
        "auroc_own_unanswerable": _known(auroc(present, unanswerable)),
        "auroc_removed": _known(auroc(present, removed)),
        "auroc_off_topic": _known(auroc(present, elsewhere)),
        "ingest_seconds": round(bench.seconds, 2),
    }


def _drawn(queries: Sequence[LabelledQuestion], draw: Draw, what: str) -> Iterator[LabelledQuestion]:
    for done, query in enumerate(queries):
        draw(what, done, len(queries), "")
        yield query
    draw(what, len(queries), len(queries), "")


def _rank(bench: Bench, retriever: Retriever, questions: Iterable[LabelledQuestion]) -> Mapping[str, float | None]:
    by_document = (replace(question, relevant=bench.relevance(question)) for question in questions)
    found = evaluate(retriever, by_document, lambda hit: hit.doc_id)
    return {name: _known(value) for name, value in found.figures().items()}


def answer_figures(bench: Bench, others: Sequence[LabelledQuestion] = (), draw: Draw = no_bars) -> Figures:
    """Whether the first quote holds the answer, token F1 and EM of it, citations, abstention as a decision, and how
    well the confidence tells right first quotes from wrong ones and present answers from absent ones.

    The first quote is judged where a right document holds an expected answer, by the same rule: that an answer was
    translated or reworded is no fault of the quote. `unjudged` counts the others among the given answers.
    `right_passage_cited` is the share of given answers that cite a right document among at most three.
    `right_passage_cited_of_all` counts abstentions on answerable queries as misses, `right_passage_offered_of_all`
    counts the passages that an abstention offers, too. For the abstention figures every answerable query is asked again
    with its right documents hidden: the right answer is then to abstain.
    """
    labelled = bench.labelled
    judged = [query for query in labelled.queries if query.answerable]
    judgeable = bench.judgeable(judged)
    given, milliseconds = bench.timed_answers(_drawn(judged, draw, "asking"))
    removed = [
        bench.answer(query.text, list(bench.relevance(query))) for query in _drawn(judged, draw, "answer removed")
    ]
    own = [bench.answer(query.text) for query in labelled.queries if not query.answerable]
    elsewhere = [bench.answer(query.text) for query in _drawn(others, draw, "off topic")]
    answered = [(query, answer) for query, answer in given if answer.used == EXTRACTIVE]
    cited = sum(_cites(answer, bench.relevance(query)) for query, answer in answered)
    offered = sum(_cites(answer, bench.relevance(query)) for query, answer in given)
    absent = [*removed, *own]
    right_abstentions = sum(answer.used != EXTRACTIVE for answer in absent)
    return {
        "set": labelled.name,
        "n": len(judged),
        "answered": len(answered),
        "abstained": _share(len(given) - len(answered), len(given)),
        **_first_quotes(given, judgeable),
        "right_passage_cited": _share(cited, len(answered)),
        "right_passage_cited_of_all": _share(cited, len(given)),
        "right_passage_offered_of_all": _share(offered, len(given)),
        "max_citations": max((len(answer.citations) for _, answer in given), default=0),
        "abstention_precision": _share(right_abstentions, right_abstentions + len(given) - len(answered)),
        "abstention_recall": _share(right_abstentions, len(absent)),
        "n_absent": len(absent),
        **_areas([answer for _, answer in given], removed, own, elsewhere),
        "answer_ms": round(statistics.fmean(milliseconds), 1) if milliseconds else None,
        "answer_p50_ms": round(statistics.median(milliseconds), 1) if milliseconds else None,
        "ingest_seconds": round(bench.seconds, 2),
    }


Given = Sequence[tuple[LabelledQuestion, Answer]]


def _first_quotes(given: Given, judgeable: Collection[str]) -> Figures:
    """Of the answers that were given, and, for the area, of the quotes that abstentions offer, too."""
    graded = [(query, answer) for query, answer in given if query.answers and answer.used == EXTRACTIVE]
    held: dict[bool, list[float]] = {True: [], False: []}
    shown = []
    for query, answer in given:
        if query.query_id in judgeable:
            holds = bool(holds_answer(first_quote(answer), query.answers))
            held[holds].append(answer.confidence)
            if answer.used == EXTRACTIVE:
                shown.append(float(holds))
    sure = [answer.confidence >= SURE for query, answer in given if query.query_id in judgeable]
    return {
        "token_f1": _mean([token_f1(first_quote(answer), query.answers) for query, answer in graded]),
        "em": _mean([exact_match(first_quote(answer), query.answers) for query, answer in graded]),
        "first_quote_holds": _mean(shown),
        "first_quote_holds_of_all": _share(len(held[True]), len(held[True]) + len(held[False])),
        "unjudged": sum(query.query_id not in judgeable for query, answer in graded),
        "confidently_wrong": _share(sum(value >= SURE for value in held[False]), len(sure)),
        **_reliability(held[True], held[False]),
        "auroc_first_quote": _known(auroc(held[True], held[False])),
    }


def _reliability(right: Sequence[float], wrong: Sequence[float]) -> Figures:
    """Share of right first quotes and number of questions in each range of the confidence."""
    figures: Figures = {}
    for low, high in pairwise(_EDGES):
        counts = [sum(low <= value < high or value == high == 1 for value in values) for values in (right, wrong)]
        name = f"of_{low:.2f}_to_{high:.2f}"
        figures |= {f"right_{name}": _share(counts[0], sum(counts)), f"n_{name}": sum(counts)}
    return figures


def first_quote(answer: Answer) -> str:
    """What the answer quotes first, or, of an abstention, offers first."""
    return next((item.quote for item in (*answer.citations, *answer.nearest)), "")


def _areas(
    present: Sequence[Answer], removed: Sequence[Answer], own: Sequence[Answer], elsewhere: Sequence[Answer]
) -> Figures:
    said = [answer.confidence for answer in present]
    absent = {"auroc_own_unanswerable": own, "auroc_removed": removed, "auroc_off_topic": elsewhere}
    return {name: _known(auroc(said, [answer.confidence for answer in some])) for name, some in absent.items()}


def _cites(answer: Answer, relevance: Mapping[str, int]) -> bool:
    return any(item.passage.doc_id in relevance for item in (answer.citations or answer.nearest)[:3])


def _mean(values: list[float]) -> float | None:
    return round(statistics.fmean(values), 4) if values else None


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
