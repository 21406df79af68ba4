"""Choose the part of a passage that supports an answer best."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.answer.editions import place_of_newest
from aion_assets.core.answer.lacking import lacks_the_thing
from aion_assets.core.answer.pieces import ROW_GAP
from aion_assets.core.answer.quotable import MAX_QUOTE_CHARS
from aion_assets.core.answer.sentence_features import (
    WORD_FEATURES,
    Candidate,
    Values,
    distinct_candidates,
    with_cosines,
)
from aion_assets.core.answer.sentence_model import builtin_models, knows_sentences
from aion_assets.core.answer.two_parts import Sentence, parts_of, with_the_other_part
from aion_assets.core.index.chunker import above
from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.language.question import Question
from aion_assets.core.search.hits import Hit, Retrieval, Vector
from aion_assets.core.search.ranker import CROSSED
from aion_assets.core.search.weights import TermWeights, WantedTerms

# Evidence that the first quote holds the answer, beside that of the passages.
QUOTE_EVIDENCE = (
    "quote_score",  # log-odds of the first quote, by the words or the meaning
    "quote_margin",  # from it to the best other text
    "quote_odds",  # log-odds that it is the one among all texts that were compared
    "quote_kind",  # things of a kind asked for that it has, less those that it lacks
    "quote_own",  # weight of the question's terms that it holds by itself
    "quote_cosine",  # to the question: its own, or its passage's where sentences are not embedded
)
# Evidence of its own that the answer is not there: 1 where the first quote has nothing of what the question wants told,
# speaks of another one, or no passage has the number by which the question names a thing.
LACKING = "lacking"
# So many texts are compared by their meaning: with more no more first quotes are right, and embedding takes time
# (docs/experiments.md, quotes).
COMPARED = 8
_CLEAR_MARGIN = 8.0
_CLAUSE_START = re.compile(r"(?<=[,;:–—] )\S")


@dataclass(slots=True)
class Quote:
    """`text` stands verbatim in `hit.text`, but for white space and a "…" where a long sentence was cut or rows of a
    table are left out. `score`: log-odds, up to a constant of the question, that it holds the answer. `whole`: a list
    or a row, which is not cut. `heading`: of its section, where it begins with it.
    """

    hit: Hit
    text: str
    score: float
    whole: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """`embed` gives (n, dimension) of passages; `question` is (dimension,). All are L2-normalised."""

    embed: Callable[[Sequence[str]], NDArray[np.float32]]
    question: Vector


@dataclass(frozen=True, slots=True)
class Choice:
    """The best quote of every document, best first, and QUOTE_EVIDENCE, CROSSED and LACKING by name, {} without a
    quote.
    """

    quotes: list[Quote]
    evidence: dict[str, float]


def choose(retrieval: Retrieval) -> Choice:
    """The quotes to answer a question with. Sentences are compared by their meaning where the embedder is one that the
    model was fitted on.
    """
    embedder = retrieval.embedder
    known = embedder is not None and knows_sentences(embedder.embedder_id)
    meaning = Meaning(embedder.embed, retrieval.query_vector) if embedder is not None and known else None
    choice = _choice(retrieval.question, retrieval.hits, retrieval.weights, meaning)
    if choice.quotes:
        choice.evidence[CROSSED] = float(_is_crossed(retrieval))
        crossed = bool(choice.evidence[CROSSED])
        choice.evidence[LACKING] = float(
            lacks_the_thing(retrieval.question.text, choice.quotes[0], retrieval.hits, crossed)
        )
    return choice


def _is_crossed(retrieval: Retrieval) -> bool:
    """Whether the best passage is in the other one of the two languages that are known."""
    spoken = ENGLISH if retrieval.language == ENGLISH else PORTUGUESE
    return {retrieval.hits[0].lang, spoken} == {PORTUGUESE, ENGLISH}


def best_quotes(
    question: Question, hits: Sequence[Hit], weights: TermWeights, meaning: Meaning | None = None
) -> list[Quote]:
    """The best quote of every document among `hits`, best first. A quote must say more than title and heading do.

    What decides are `core.answer.sentence_features`, weighed by a linear model that was fitted on labelled questions.
    """
    return _choice(question, hits, weights, meaning).quotes


def _choice(question: Question, hits: Sequence[Hit], weights: TermWeights, meaning: Meaning | None) -> Choice:
    ranked, values, scores = ranked_candidates(question, hits, weights, meaning)
    best: dict[str, Quote] = {}
    for candidate, score in zip(ranked, scores.tolist(), strict=True):
        text, section = candidate.text, candidate.quotable.section
        heading = section if section and text.startswith(f"{section}\n") else ""
        best.setdefault(candidate.hit.doc_id, Quote(candidate.hit, text, score, candidate.quotable.whole, heading))
    quotes = _without_echoes([*best.values()])
    told = [(quote.hit.title, quote.text, quote.score) for quote in quotes]
    if newest := place_of_newest(question.text, told):
        quotes.insert(0, quotes.pop(newest))
    _complete(quotes, question, ranked, weights)
    wanted = weights.wanted(question.terms)
    for quote in quotes:
        quote.text = quote.text if quote.whole else _shortened(quote.text, wanted, weights)
    return Choice(quotes, _evidence(ranked, values, scores, meaning is not None))


def _complete(quotes: Sequence[Quote], question: Question, ranked: Sequence[Candidate], weights: TermWeights) -> None:
    """Put to the first quote what answers the other part of the question in the same passage."""
    if not quotes or len(parts := parts_of(question.text)) < 2:
        return
    first = next((one for one in ranked if one.text == quotes[0].text), None)
    if first is None or first.quotable.steps:
        return
    same = [first, *(one for one in ranked if one.hit is first.hit and one is not first)]
    passage = _flat(first.hit.text)
    sentences = [
        Sentence(one.text, passage.find(_flat(one.text)), -place, frozenset(weights.terms(one.text)))
        for place, one in enumerate(same)
    ]
    if both := with_the_other_part(question.text, parts, first.quotable.line, sentences, weights.terms):
        quotes[0].text = both


def _flat(text: str) -> str:
    return " ".join(text.rpartition(ROW_GAP)[2].split())


def ranked_candidates(
    question: Question, hits: Sequence[Hit], weights: TermWeights, meaning: Meaning | None = None
) -> tuple[list[Candidate], Values, Values]:
    """All that can be quoted, best first, with its values, (n, WORD_FEATURES) and the cosines where `meaning` is given,
    and its (n,) scores. Cosines of texts that were not compared are 0.
    """
    found = distinct_candidates(question, hits, weights)
    models = builtin_models()
    values = np.array([one.values for one in found]).reshape(len(found), len(WORD_FEATURES))
    named = np.array([one.named for one in found])
    scores = models.words.scores(values) + named
    order = np.argsort(-scores, kind="stable")
    found, values, scores, named = [found[place] for place in order], values[order], scores[order], named[order]
    if meaning is None or not found:
        return found, values, scores
    texts = [in_context(one) for one in found[:COMPARED]]
    compared = with_cosines(values[:COMPARED], (meaning.embed(texts) @ meaning.question).astype(np.float64))
    better = models.meaning.scores(compared) + named[:COMPARED]
    again = np.argsort(-better, kind="stable")
    # The others keep their order below the compared.
    rest = scores[COMPARED:] - scores[COMPARED : COMPARED + 1] + better.min()
    unknown = np.zeros((len(rest), compared.shape[1] - values.shape[1]))
    return (
        [found[place] for place in again] + found[COMPARED:],
        np.concatenate([compared[again], np.hstack([values[COMPARED:], unknown])]),
        np.concatenate([better[again], rest]),
    )


def in_context(candidate: Candidate) -> str:
    """As a passage is embedded: after title and heading, without which most sentences do not say what they speak of."""
    prefix = above(candidate.hit.title, candidate.heading)
    return f"{prefix} – {candidate.text}" if prefix else candidate.text


def _evidence(ranked: Sequence[Candidate], values: Values, scores: Values, compared: bool) -> dict[str, float]:
    if not ranked:
        return {}
    first = dict(zip(WORD_FEATURES, values[0].tolist(), strict=False))
    others = [score for one, score in zip(ranked, scores.tolist(), strict=True) if one.text != ranked[0].text]
    margin = min(float(scores[0]) - max(others), _CLEAR_MARGIN) if others else _CLEAR_MARGIN
    rivals = float(np.exp(np.array(others[:COMPARED]) - scores[0]).sum())
    found = first["figure"] + first["time"] + first["person"] + first["place"] + first["reason"]
    return {
        "quote_score": float(scores[0]),
        "quote_margin": margin,
        "quote_odds": min(-float(np.log(rivals)), _CLEAR_MARGIN) if rivals > 0 else _CLEAR_MARGIN,
        "quote_kind": found - first["no_figure"] - first["no_time"] - first["no_person"],
        "quote_own": first["own"],
        "quote_cosine": float(values[0, len(WORD_FEATURES)]) if compared else ranked[0].hit.dense,
    }


def _without_echoes(ranked: Sequence[Quote]) -> list[Quote]:
    """Keep one of several quotes with the same words: the one nearest to the beginning of its document. That document
    is the page on the subject rather than one that gathers pages.
    """
    kept: list[Quote] = []
    for quote in ranked:
        place = next((place for place, other in enumerate(kept) if _same_words(quote.text, other.text)), None)
        if place is None:
            kept.append(quote)
        elif quote.hit.start < kept[place].hit.start:
            kept[place] = Quote(quote.hit, quote.text, kept[place].score, quote.whole, quote.heading)
    return kept


def _same_words(one: str, other: str) -> bool:
    short, long = sorted((" ".join(text.lower().split()) for text in (one, other)), key=len)
    return short in long


def _shortened(text: str, wanted: WantedTerms, weights: TermWeights) -> str:
    """Of a sentence longer than MAX_QUOTE_CHARS, the stretch from a clause's start that covers most of the question."""
    if len(text) <= MAX_QUOTE_CHARS:
        return text
    starts = [0, *(match.start() for match in _CLAUSE_START.finditer(text))]
    stretches = [_stretch(text, start) for start in starts]
    return max(stretches, key=lambda stretch: wanted.coverage(weights.terms(stretch)))


def _stretch(text: str, start: int) -> str:
    cut = text[start : start + MAX_QUOTE_CHARS + 1]
    if len(cut) > MAX_QUOTE_CHARS:
        words, _, broken = cut[:MAX_QUOTE_CHARS].rpartition(" ")
        # Some scripts have no spaces; neither have keys and addresses.
        cut = (words if len(broken) < len(words) else cut[:MAX_QUOTE_CHARS]).rstrip(".,;: ") + "…"
    return f"…{cut}" if start else cut
