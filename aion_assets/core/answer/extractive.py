"""The engine that is always there: the best supported sentences, quoted and cited, or an honest "not found"."""

import re
from dataclasses import dataclass, field

import numpy as np

from aion_assets.core.answer.wording import wording
from aion_assets.core.confidence import Calibration
from aion_assets.core.search.hits import Hit, QueryEmbedder, Retrieval
from aion_assets.core.search.terms import terms
from aion_assets.core.sentences import sentence_spans

EXTRACTIVE, ABSTENTION = "extractive", "abstention"
MAX_CITATIONS = 3
MAX_QUOTE_CHARS = 400
# Passages whose sentences are read closely: the vectors of their sentences are the dearest part of an answer.
_READ_PASSAGES = 4
_MARKER = re.compile(r"\[\s*\d[\d\s,;–-]*\]")


@dataclass(slots=True)
class Citation:
    """`quote` is a sentence of the passage, verbatim but for white space."""

    number: int
    chunk_id: str
    doc_id: str
    doc_version: str
    title: str
    url: str
    page: int
    heading: str
    fragment: str
    quote: str
    score: float


@dataclass(slots=True)
class Answer:
    """`nearest` are the passages that an abstention offers instead; they support nothing and have no marker."""

    text: str
    used: str
    confidence: float
    tau: float
    language: str
    citations: list[Citation] = field(default_factory=list)
    nearest: list[Citation] = field(default_factory=list)


@dataclass(slots=True)
class _Sentence:
    hit: Hit
    order: int
    text: str
    score: float = 0.0


def answer_question(
    question: str,
    retrieval: Retrieval,
    *,
    embedder: QueryEmbedder,
    calibration: Calibration,
    tau: float,
    language: str = "",
) -> Answer:
    """`language` "" means that of the question. Texts of passages are only ever quoted, never followed."""
    spoken = language or retrieval.language
    confidence = calibration.confidence(retrieval.features)
    words = wording(spoken)
    if not question.strip():
        return Answer(words.empty_question, ABSTENTION, 0.0, tau, spoken)
    best = _best_sentences(retrieval, embedder)
    citations = [_citation(number, sentence) for number, sentence in enumerate(best, start=1)]
    if confidence < tau or not citations:
        text = words.not_found
        if citations:
            listed = "\n".join(f"- {_place(item)}" for item in citations)
            text = f"{text} {words.nearest}\n{listed}"
        return Answer(text, ABSTENTION, confidence, tau, spoken, nearest=citations)
    lead, *others = [f"“{_shown(item.quote)}” [{item.number}]" for item in citations]
    text = "\n".join([lead, "", words.see_also, *(f"- {other}" for other in others)]) if others else lead
    return Answer(text, EXTRACTIVE, confidence, tau, spoken, citations)


def _best_sentences(retrieval: Retrieval, embedder: QueryEmbedder) -> list[_Sentence]:
    """The best sentence of each of the best documents, best first."""
    weights = retrieval.weights
    wanted = set(terms(retrieval.question))
    read = [
        _Sentence(hit, order, " ".join(hit.text[start:end].split()))
        for hit in retrieval.hits[:_READ_PASSAGES]
        for order, (start, end) in enumerate(sentence_spans(hit.text))
    ]
    if not read:
        return []
    cosines = embedder.embed([sentence.text for sentence in read]) @ retrieval.query_vector
    for sentence, cosine in zip(read, cosines, strict=True):
        about = {*terms(sentence.text)}
        above = {*terms(f"{sentence.hit.title} {sentence.hit.heading}")}
        coverage = 0.5 * weights.coverage(wanted, about) + 0.5 * weights.coverage(wanted, about | above)
        sentence.score = coverage + 0.5 * float(np.clip(cosine, 0.0, 1.0)) + sentence.hit.score
    best: dict[str, _Sentence] = {}
    for sentence in sorted(read, key=lambda item: -item.score):
        best.setdefault(sentence.hit.doc_id, sentence)
    return list(best.values())[:MAX_CITATIONS]


def _citation(number: int, sentence: _Sentence) -> Citation:
    hit = sentence.hit
    return Citation(
        number, hit.chunk_id, hit.doc_id, hit.doc_version, hit.title, hit.url, hit.page, hit.heading, hit.fragment,
        _shortened(sentence.text), sentence.score,
    )  # fmt: skip


def _shortened(quote: str) -> str:
    if len(quote) <= MAX_QUOTE_CHARS:
        return quote
    return quote[:MAX_QUOTE_CHARS].rpartition(" ")[0] + "…"


def _shown(quote: str) -> str:
    """A quote whose own footnote marks cannot be taken for ours."""
    return _MARKER.sub("", quote).strip()


def _place(item: Citation) -> str:
    return " – ".join(part for part in (item.title, item.heading) if part) or item.url
