"""Whether a sentence of a model stands on a passage that it was given.

A sentence is supported by one sentence, or two neighbours, of one passage: these hold most of its words by weight, all
of its numbers and technical names, and say yes or no alike. What a model adds of its own is not supported, however true
it may be.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from urllib.parse import urlsplit

from aion_assets.core.language.negation import is_negated
from aion_assets.core.language.number_words import spelled_out
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights, WantedTerms

# Share of a sentence's weight that its support must hold. The rest is room for another form of words.
_ENOUGH = 0.7
# The same of what title and heading do not say, by the support itself: they name a subject and assert nothing.
_ENOUGH_BEYOND_HEADING = 0.5
# A shorter sentence says too little to be proved or refuted.
_LEAST_TERMS = 2
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d)[.,](?=\d{3}(?!\d))")
# Domains, mail addresses and files, variables, and options of commands: as wrong by one letter as by all.
_TECHNICAL = re.compile(r"\b[^\W\d_]\w+(?:[.@]\w{2,})+|\b[^\W\d_]\w*_\w+|(?<![\w-])--[^\W\d_][\w-]+")
_LINK = re.compile(r"!\[|\]\(|\b(?:https?|ftp|mailto|data|javascript|file):|\bwww\.", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"'”’)\]]+", re.IGNORECASE)
# Sentences that speak to a model instead of a reader. They are data like any other, and prove nothing: what a hostile
# page wants said would else be supported by that very page.
_TO_A_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget|override|ignore[mn]?|desconsidere|esque[cç]a)\b.{0,60}"
    r"\b(?:instruc|instruç|prompt|rules?|regras|context|previous|above|anterior)"
    r"|\b(?:your|this|the|sua|tua|a|na)\s+(?:final\s+)?(?:answer|response|reply|output|resposta)\b.{0,60}"
    r"\b(?:must|should|deve|include|inclu\w+|append|acrescent\w+|insert|insir\w+|begin|end|with|com)\b"
    r"|\b(?:include|append|insert|embed|incorporate|add|inclua|acrescente|insira|adicione)\b.{0,80}"
    r"\b(?:answer|response|reply|output|resposta)\b"
    r"|\b(?:begin|start|end|finish|comece|inicie|termine|encerre)\s+(?:your|the|this|sua|tua|a)\s+"
    r"(?:answer|response|reply|output|resposta)\b"
    r"|\b(?:respond|reply|answer|responda)\s+(?:only|with|in|using|apenas|somente|s[oó]|com|em)\b"
    r"|\b(?:system prompt|as an ai|language model|modelo de linguagem|you are now|voc[eê] agora [eé]"
    r"|agora voc[eê] [eé])\b",
    re.IGNORECASE | re.DOTALL,
)


class Unsupported(StrEnum):
    """Why a sentence is not shown as it is."""

    WORDS = "words"
    NUMBER = "number"
    NAME = "name"  # a technical one
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Support:
    """`passage` counts from 0; `quote` is verbatim in it, but for white space."""

    passage: int
    quote: str


@dataclass(frozen=True, slots=True)
class _Window:
    quote: str
    terms: frozenset[str]
    own: frozenset[str]  # without those of title and heading
    numbers: frozenset[str]
    names: frozenset[str]
    negated: bool


class Supports:
    """The passages of one question, ready to be asked whether they support a sentence."""

    def __init__(self, hits: Sequence[Hit], weights: TermWeights) -> None:
        self._weights = weights
        self._addresses = [_allowed_addresses(hit) for hit in hits]
        self._passages = [list(_windows(hit, weights)) for hit in hits]

    def judge(self, sentence: str, claimed: Sequence[int] = ()) -> Support | Unsupported:
        """The passage that supports the sentence, one of `claimed` if any of these does; or why there is none."""
        terms = self._weights.terms(sentence)
        if len(set(terms)) < _LEAST_TERMS:
            return Unsupported.WORDS
        wanted, negated = self._weights.wanted(terms), is_negated(sentence, self._weights.language)
        numbers, names = numbers_in(sentence), technical_names(sentence)
        others = (number for number in range(len(self._passages)) if number not in claimed)
        links, reason = _LINK.search(sentence) is not None, Unsupported.WORDS
        if not any(numbers <= window.numbers for windows in self._passages for window in windows):
            reason = Unsupported.NUMBER
        elif not any(names <= window.names for windows in self._passages for window in windows):
            reason = Unsupported.NAME
        for number in (*claimed, *others):
            if links and not self._may_link(sentence, number):
                reason = Unsupported.LINK
                continue
            alike = (window for window in self._passages[number] if window.negated == negated)
            exact = (window for window in alike if numbers <= window.numbers and names <= window.names)
            best = _best([window for window in exact if self._says(window, terms)], wanted)
            if best is not None:
                return Support(number, best.quote)
        return reason

    def _says(self, window: _Window, terms: Sequence[str]) -> bool:
        """Whether the window itself, without title and heading, holds enough of what these do not say."""
        beyond = [term for term in terms if term in window.own or term not in window.terms]
        return self._weights.wanted(beyond).coverage(window.own) >= _ENOUGH_BEYOND_HEADING

    def _may_link(self, sentence: str, number: int) -> bool:
        """Addresses of the document's own site only: a foreign one may be what a hostile page wants shown."""
        found = _ADDRESS.findall(sentence)
        plain = _LINK.search(_ADDRESS.sub("", sentence)) is None
        return plain and all(address.rstrip(".,;:!?") in self._addresses[number] for address in found)


def numbers_in(text: str) -> frozenset[str]:
    """Numbers in digits and words, each in one form: "1.200" is "1200", "forty" is "40", "02" is "2"."""
    digits = _NUMBER.findall(_THOUSANDS.sub("", text))
    plain = {":".join(part.lstrip("0") or "0" for part in re.split(r"[.,:/]", number)) for number in digits}
    return frozenset(plain | spelled_out(text))


def technical_names(text: str) -> frozenset[str]:
    """Names such as `example.org`, `AION_HOME` and `--max-pages`, in lower case."""
    return frozenset(found.lower() for found in _TECHNICAL.findall(text))


def _windows(hit: Hit, weights: TermWeights) -> Iterator[_Window]:
    """Every sentence of the passage, then every two neighbours. Title and heading say what a sentence speaks of."""
    above = frozenset(weights.terms(f"{hit.title} {hit.heading}"))
    spans = _told_to_a_reader(hit.text)
    for start, end in [*spans, *((one[0], other[1]) for one, other in pairwise(spans))]:
        quote = " ".join(hit.text[start:end].split())
        own = frozenset(weights.terms(quote)) - above
        if own and not _TO_A_MODEL.search(quote):  # it says more than title and heading do, and says it to a reader
            yield _Window(
                quote,
                own | above,
                own,
                numbers_in(f"{quote} {hit.title} {hit.heading}"),
                technical_names(f"{quote} {hit.title} {hit.heading}"),
                is_negated(quote, weights.language),
            )


def _told_to_a_reader(text: str) -> list[tuple[int, int]]:
    """The sentences but those that speak to a model, and the ones behind them, in which an order goes on."""
    spans = sentence_spans(text)
    orders = [_TO_A_MODEL.search(text[start:end]) is not None for start, end in spans]
    return [
        span
        for span, is_order, goes_on in zip(spans, orders, [False, *orders], strict=False)
        if not (is_order or goes_on)
    ]


def _best(windows: Sequence[_Window], wanted: WantedTerms) -> _Window | None:
    """The first of those that cover most."""
    covered = [(wanted.coverage(window.terms), window) for window in windows]
    best = max(covered, key=lambda pair: pair[0], default=None)
    return best[1] if best is not None and best[0] >= _ENOUGH else None


def _allowed_addresses(hit: Hit) -> frozenset[str]:
    host = urlsplit(hit.url).hostname or ""
    found = (address.rstrip(".,;:!?") for address in _ADDRESS.findall(hit.text))
    return frozenset(address for address in found if _host(address) in (host, "localhost", "127.0.0.1"))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
