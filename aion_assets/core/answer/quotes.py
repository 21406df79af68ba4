"""Choose the part of a passage that supports an answer best."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from aion_assets.core.answer.asked_for import AskedFor, numbers
from aion_assets.core.language.question import Question
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights, WantedTerms

MAX_QUOTE_CHARS = 400
# A line without a full stop that is shorter than this is a heading or label: it names what follows and asserts nothing.
_HEADING_CHARS = 80
# Weight of the passage's score beside the words of the quote. A smaller weight puts more wrong quotes first where one
# base holds several sites.
_RANKED = 3.0
# Decides between quotes that hold the same terms only: one term of a short question weighs more than this.
_TO_THE_POINT = 0.1
# Where a manual exists in two languages, the page in the reader's own is the better one.
_SAME_LANGUAGE = 0.1
# The further shares were chosen on faquad, squad_pt_sample and clapnq (docs/experiments.md, quotes).
_TELLING = 0.15
_OF_ITS_KIND = 0.3
_ITS_NUMBERS, _OTHER_NUMBERS = 0.5, 0.3
_CLOSED = re.compile(r"""[.!…]["'”’»)\]]*$""")
_LIST_ITEM = re.compile(r"[-–•*] |\d+[.)] ")
_CLAUSE_START = re.compile(r"(?<=[,;:–—] )\S")


@dataclass(slots=True)
class Quote:
    """`text` stands verbatim in `hit.text`, but for white space and a "…" where a long sentence was cut."""

    hit: Hit
    text: str
    score: float


def best_quotes(question: Question, hits: Sequence[Hit], weights: TermWeights) -> list[Quote]:
    """The best quote of every document among `hits`, best first. A quote must say more than title and heading do.

    A quote scores by the weight of the question's terms that it holds, title and heading included, and by the score of
    its passage; by terms that few sentences of its passage hold; and by what is asked for: a figure, a time, a name, or
    the number that the question names. Of two equal ones, the one whose first line keeps to the question and the one in
    its language are better. Adding the cosine of a sentence to the question gained nothing on unseen questions, with
    either embedder that comes with AION, and took longer than the rest (docs/experiments.md, quotes).
    """
    found = [quote for hit in hits for quote in _quotes(question, hit, weights)]
    found.sort(key=lambda quote: -quote.score)
    best: dict[str, Quote] = {}
    for quote in found:
        best.setdefault(quote.hit.doc_id, quote)
    wanted = weights.wanted(question.terms)
    ranked = _without_echoes(sorted(best.values(), key=lambda quote: -quote.score))
    for quote in ranked:
        quote.text = _shortened(quote.text, wanted, weights)
    return ranked


def _quotes(question: Question, hit: Hit, weights: TermWeights) -> Iterator[Quote]:
    """Everything of a passage that can be quoted, with its score."""
    wanted, asked_for = weights.wanted(question.terms), AskedFor.of(question.text)
    # A number that the title says holds for the whole passage.
    asked_numbers = numbers(question.text) - numbers(f"{hit.title} {hit.heading}")
    above = weights.terms(f"{hit.title} {hit.heading}")
    quotable = [(text, introduction, weights.terms(text)) for text, introduction in _quotable(hit.text)]
    telling = _telling(question, above, [found for *_, found in quotable], weights)
    for text, introduction, found in quotable:
        if found and set(found) <= set(above):
            continue
        score = _RANKED * hit.score + wanted.coverage([*found, *above])
        score += _TELLING * sum(telling[term] for term in telling.keys() & found)
        score += _TO_THE_POINT * _share(weights.terms(introduction), wanted)
        score += _SAME_LANGUAGE * weights.are_for(hit.lang)
        score += _OF_ITS_KIND * asked_for.is_in(text, question.text)
        if asked_numbers:
            given = numbers(text)
            score += _ITS_NUMBERS * len(asked_numbers & given) / len(asked_numbers)
            score -= _OTHER_NUMBERS * (bool(given) and given.isdisjoint(asked_numbers))
        yield Quote(hit, text, score)


def _telling(
    question: Question, above: Sequence[str], quotable: Sequence[Sequence[str]], weights: TermWeights
) -> dict[str, float]:
    """Term of the question → share of what tells the sentences of one passage apart. A term that stands in every
    sentence tells nothing, one that stands in title or heading little.
    """
    held = Counter(term for found in quotable for term in {*found})
    telling = {
        term: weights.weight(term) * log((len(quotable) + 1) / (held[term] + 0.5)) * (0.3 if term in above else 1.0)
        for term in dict.fromkeys(question.terms)
        if held[term]
    }
    total = sum(telling.values())
    return {term: share / total for term, share in telling.items()} if total > 0 else {}


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
            kept[place] = Quote(quote.hit, quote.text, kept[place].score)
    return kept


def _same_words(one: str, other: str) -> bool:
    short, long = sorted((" ".join(text.lower().split()) for text in (one, other)), key=len)
    return short in long


def _share(found: Sequence[str], wanted: WantedTerms) -> float:
    return sum(term in wanted for term in found) / len(found) if found else 0.0


def _quotable(passage: str) -> Iterator[tuple[str, str]]:
    """Pairs of a quotable text and its introduction. A question, heading or line with a colon is quoted with what
    follows it.

    Line breaks of the passage stay, unless they only wrap a line.
    """
    spans = sentence_spans(passage)
    gaps = [passage[before[1] : after[0]] for before, after in pairwise(spans)]
    lines = [" ".join(passage[start:end].split()) for start, end in spans]
    for index, (start, _) in enumerate(spans):
        quoted, following = lines[index], index + 1
        while following < len(spans) and spans[following][1] - start <= MAX_QUOTE_CHARS:
            if not _goes_on(quoted, gaps[following - 1], lines[following]):
                break
            quoted += ("\n" if "\n" in gaps[following - 1] else " ") + lines[following]
            following += 1
        yield quoted, lines[index] if following > index + 1 else ""


def _goes_on(quoted: str, gap: str, line: str) -> bool:
    """Whether `line`, which comes `gap` after `quoted`, belongs to it."""
    *above, last = quoted.split("\n")
    # A label names its own paragraph. Another paragraph is another subject.
    if above and gap.count("\n") > 1 and not last.endswith(("?", ":")):
        return False
    if not any(one.endswith(":") for one in above):
        return _introduces(quoted)
    # A list or code follows the line that announces it.
    return gap == "\n" and bool(_LIST_ITEM.match(line)) == bool(_LIST_ITEM.match(last))


def _introduces(text: str) -> bool:
    last_line = text.rsplit("\n", 1)[-1].strip()
    return last_line.endswith(("?", ":")) or (len(text) < _HEADING_CHARS and not _CLOSED.search(last_line))


def _shortened(text: str, wanted: WantedTerms, weights: TermWeights) -> str:
    """Of a sentence longer than MAX_QUOTE_CHARS, the stretch from a clause's start that covers most of the question."""
    if len(text) <= MAX_QUOTE_CHARS:
        return text
    starts = [0, *(match.start() for match in _CLAUSE_START.finditer(text))]
    stretches = [_stretch(text, start) for start in starts]
    return max(stretches, key=lambda stretch: wanted.coverage(weights.terms(stretch)))


def _stretch(text: str, start: int) -> str:
    cut = text[start:]
    if len(cut) > MAX_QUOTE_CHARS:
        words, _, broken = cut[:MAX_QUOTE_CHARS].rpartition(" ")
        # Some scripts have no spaces; neither have keys and addresses.
        cut = f"{words if len(broken) < len(words) else cut[:MAX_QUOTE_CHARS]}…"
    return f"…{cut}" if start else cut
