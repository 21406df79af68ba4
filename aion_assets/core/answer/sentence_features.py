"""What is known of every text that can be quoted, for choosing the one that a person would mark."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.answer.asked_for import AskedFor, numbers
from aion_assets.core.answer.quotable import Quotable, quotable
from aion_assets.core.language.negation import is_negated
from aion_assets.core.language.provisions import (
    article_of,
    named_provisions,
    provisions_in,
    without_article,
    without_provisions,
)
from aion_assets.core.language.question import Question
from aion_assets.core.language.spelling import ALIKE, likeness, trigrams
from aion_assets.core.language.terms import fold
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights, WantedTerms

Values = NDArray[np.float64]
_Below = tuple[str, str, str]

# In the order of the columns. Left out, because questions that the model was not fitted on gained nothing from them:
# the passage's cosine and rank, neighbouring terms, the neighbours' terms, the share of a text's own terms, its length
# and place, pronouns at its beginning, the form of a definition. A condition counts as a reason: few ask for
# one.
WORD_FEATURES = (
    "passage",  # score of the passage
    "behind",  # the same below the best passage; never positive
    "covered",  # weight of the question's terms in the text, its title and its heading
    "own",  # the same in the text alone
    "telling",  # share of the terms that few texts of the passage hold
    "introduced",  # share of the terms of its first line, where that names what follows, that the question has
    "language",  # 1 in the language of the question
    "figure", "no_figure", "time", "no_time", "person", "no_person", "place", "reason",  # asked for, and there or not
    "its_numbers",  # share of the numbers that the question names
    "other_numbers",  # 1 with numbers of which the question names none
    "spelled_alike",  # weight of the question's terms that stand in it with another spelling
    "asks",  # 1 for a question
    "steps",  # 1 for a whole list or block of code where the question asks how to do something
    "listed",  # 1 for such a one where it does not
    "negated",  # 1 for a denial where the question denies nothing
    "row",  # 1 for a row of a table or a record
)  # fmt: skip
# Need an embedder, and are known of the best texts only.
MEANING_FEATURES = (
    "cosine",  # of text and question, the text after title and heading as passages are embedded
    "cosine_behind",  # the same below the nearest text; never positive
)
QUOTE_FEATURES = (*WORD_FEATURES, *MEANING_FEATURES)
# Cosines are scaled so that their differences count as much as those of the other features.
_COSINE_SCALE, _COSINE_MIDDLE = 10.0, 0.8
_ABOVE_SHARE = 0.3
# Of a provision that the question names, and for each that stands in the same text. No words outweigh it.
_NAMED, _NAMED_BESIDE = 4.0, 0.5


@dataclass(slots=True)
class Candidate:
    """A text that can be quoted from a passage. `values` are WORD_FEATURES, (n,). `named`: log-odds beside those of the
    features, for a text that is what the question names by its numbers.
    """

    hit: Hit
    quotable: Quotable
    values: Values
    named: float = 0.0

    @property
    def text(self) -> str:
        return self.quotable.text

    @property
    def heading(self) -> str:
        """The innermost heading above it, with the label of its paragraph. A passage may hold several sections, and is
        named after the longest.
        """
        section, label = self.quotable.section, self.quotable.label
        if section and self.text.startswith(section):
            return ""
        return " > ".join(filter(None, (section or _outer_heading(self.hit, self.quotable), label)))


def distinct_candidates(question: Question, hits: Sequence[Hit], weights: TermWeights) -> list[Candidate]:
    """Everything in the passages that says more than their title and heading do, and than the question. Passages
    overlap: of a text that stands in two of one document, the one from the better passage.
    """
    asked = _Asked(question, weights)
    best = max((hit.score for hit in hits), default=0.0)
    passages = [_Passage.read(hit, asked) for hit in hits]
    kept: dict[tuple[str, str], Candidate] = {}
    for passage in passages:
        for candidate in _of_passage(asked, passage, best):
            kept.setdefault((passage.hit.doc_id, candidate.text), candidate)
    return [*kept.values()]


def with_cosines(values: Values, cosines: Values) -> Values:
    """(n, QUOTE_FEATURES) of (n, WORD_FEATURES) and the (n,) cosines of the texts to the question."""
    scaled = _COSINE_SCALE * (cosines - _COSINE_MIDDLE)
    return np.column_stack([values, scaled, scaled - scaled.max(initial=-np.inf)])


class _Asked:
    """A question, taken apart once for all texts."""

    def __init__(self, question: Question, weights: TermWeights) -> None:
        self.question, self.weights = question, weights
        self.wanted: WantedTerms = weights.wanted(question.terms)
        self.terms = [*dict.fromkeys(question.terms)]
        self.total = sum(map(weights.weight, self.terms)) or 1.0
        self.kinds = AskedFor.of(question.text)
        self.folded = fold(question.text)
        self.provisions = named_provisions(question.text)
        self.numbers = numbers(without_provisions(question.text))
        self.denies = is_negated(question.text, question.language)
        self.trigrams = {term: trigrams(term) for term in self.terms}

    def is_repeated_by(self, found: Sequence[str]) -> bool:
        """Whether a text of these terms says hardly more than the question itself does, and so does not answer it."""
        return self.kinds.least_told > 0 and len({*found} - {*self.terms}) < self.kinds.least_told

    def is_repeated_in(self, text: str) -> bool:
        return self.kinds.least_told > 0 and self.is_repeated_by(self.weights.terms(text))

    def spelled_alike(self, missing: Sequence[str], found: Sequence[str]) -> float:
        """Weight of the missing terms by the likest of the terms found, over that of all."""
        others = [trigrams(term) for term in {*found}]
        alike = {term: max((likeness(self.trigrams[term], one) for one in others), default=0.0) for term in missing}
        return sum(self.weights.weight(term) * share for term, share in alike.items() if share >= ALIKE) / self.total


@dataclass(frozen=True, slots=True)
class _Passage:
    """`texts` with their terms; `headings` by section, label and article, and `above`, the terms of these."""

    hit: Hit
    texts: Sequence[tuple[Quotable, Sequence[str]]]
    headings: Mapping[_Below, str]
    above: Mapping[_Below, Sequence[str]]

    @classmethod
    def read(cls, hit: Hit, asked: _Asked) -> "_Passage":
        weights = asked.weights
        read = [(one, weights.terms(one.text)) for one in quotable(hit.text, asked.is_repeated_in)]
        texts = [(one, found) for one, found in read if not asked.is_repeated_by(found)]
        headings = {_below(one): f"{_heading(hit, one)} {one.label}" for one, _ in texts}
        return cls(hit, texts, headings, {below: weights.terms(heading) for below, heading in headings.items()})


def _of_passage(asked: _Asked, passage: _Passage, best: float) -> Iterator[Candidate]:
    weights, hit = asked.weights, passage.hit
    # A number that the title says holds for the whole passage.
    open_numbers = {
        below: (asked.numbers - numbers(heading)) | (asked.provisions - _provisions_above(hit, below))
        for below, heading in passage.headings.items()
    }
    telling = _telling(asked, [(passage.above[_below(one)], found) for one, found in passage.texts])
    headings = weights.terms(hit.heading)
    for one, found in passage.texts:
        above, wanted = passage.above[_below(one)], open_numbers[_below(one)]
        if found and {*found} <= {*above, *headings}:
            continue
        kinds = asked.kinds.found_in(one.text, asked.folded)
        begun = provisions_in(one.text) if asked.provisions else frozenset()
        given = numbers(one.text) | begun if wanted else frozenset()
        present = {*found, *above}
        values = [
            hit.score,
            hit.score - best,
            asked.wanted.coverage([*found, *above]),
            asked.wanted.coverage(found),
            sum(telling.get(term, 0.0) for term in {*found}),
            _share(weights.terms(one.introduction), asked.wanted),
            float(weights.are_for(hit.lang)),
            *(float(kinds.get(kind) is there) for kind in ("figure", "time", "person") for there in (True, False)),
            float(kinds.get("place") is True),
            float(kinds.get("reason") is True or kinds.get("condition") is True),
            len(wanted & given) / len(wanted) if wanted else 0.0,
            float(bool(given) and given.isdisjoint(wanted)),
            asked.spelled_alike([term for term in asked.terms if term not in present], found),
            float(one.text.rstrip().endswith("?")),
            float(one.steps and asked.kinds.steps),
            float(one.steps and not asked.kinds.steps),
            float(not asked.denies and is_negated(one.text, hit.lang)),
            float(one.row),
        ]
        # One that holds fewer others is nearer to what is meant.
        named = _NAMED - _NAMED_BESIDE * len(begun) if begun & asked.provisions and wanted <= given else 0.0
        yield Candidate(hit, one, np.array(values), named)


def _below(text: Quotable) -> _Below:
    return text.section, text.label, article_of(text.text)


def _heading(hit: Hit, text: Quotable) -> str:
    """Title and headings above what stands under `section` in the passage."""
    if not text.section:
        return f"{hit.title} {_outer_heading(hit, text)}"
    outer, _, _ = hit.heading.rpartition(" > ")
    return f"{hit.title} {outer} {text.section}"


def _provisions_above(hit: Hit, below: _Below) -> frozenset[str]:
    return provisions_in("\n".join([*hit.heading.split(" > "), *below[:2]]))


def _outer_heading(hit: Hit, text: Quotable) -> str:
    """That of the passage, without the article that it begins within where the text stands in another one."""
    return without_article(hit.heading) if article_of(text.label or text.text) else hit.heading


def _telling(asked: _Asked, texts: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Mapping[str, float]:
    """Term of the question → share of what tells the sentences of one passage apart. `texts` are the terms above each
    and its own. A term that stands in every sentence tells nothing, one that stands above all of them little.
    """
    held = Counter(term for _, found in texts for term in {*found})
    above = set.intersection(*({*terms} for terms, _ in texts)) if texts else set()
    telling = {
        term: asked.weights.weight(term)
        * log((len(texts) + 1) / (held[term] + 0.5))
        * (_ABOVE_SHARE if term in above else 1.0)
        for term in asked.terms
        if held[term]
    }
    total = sum(telling.values())
    return {term: share / total for term, share in telling.items()} if total > 0 else {}


def _share(found: Sequence[str], wanted: WantedTerms) -> float:
    return sum(term in wanted for term in found) / len(found) if found else 0.0
