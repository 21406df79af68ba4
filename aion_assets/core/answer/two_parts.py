"""Questions that ask two things at once, and the sentence beside the first quote that answers the other one."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from aion_assets.core.answer.asked_for import AskedFor, numbers
from aion_assets.core.answer.pieces import ROW_GAP
from aion_assets.core.answer.quotable import MAX_QUOTE_CHARS
from aion_assets.core.language.terms import fold

_ASKING = (
    r"(?:qual|quais|quanto|quanta|quantos|quantas|quando|quem|onde|aonde|como|por que|o que|que (?:dia|data|hora|horas|"
    r"documentos?)|what|which|when|who|where|how|why)"
)
_WITH = r"(?:(?:a|o|as|os|de|em|com|para|por|ate|desde|in|at|on|for|from|by|to|with|until) )?"
# Where a further question begins: "quem pede e de qual fornecedor", "até quanto e, depois, com quantos dias".
_FURTHER = re.compile(rf"[?;]\s+|,? (?:e|and)(?: |, [^,?]{{1,40}}, )(?={_WITH}{_ASKING}\b)")
_DIFFERENCE = re.compile(r"\b(?:diferenca entre|difference between) (?:[oa]s? )?([^?]{2,60}?) (?:e|and) ([^?.]{2,60})")
_NO_FIGURE = re.compile(r"^[\d.]+\s|\bpor cento\b|\bper cent\b")  # the number of a clause is none
_ASKS = re.compile(rf"\b(?:{_ASKING}|pode|posso|podem|tem|ha|precisa|preciso|can|may|must|need|is there|are there)\b")


def parts_of(question: str) -> list[str]:
    """The questions that it asks, folded; fewer than two for most."""
    text = fold(question)
    if compared := _DIFFERENCE.search(text):
        return [compared[1], compared[2]]
    return [part for part in _FURTHER.split(text) if part and _ASKS.search(part)]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text of the first quote's passage, at the place `at` there. `score`: how well it fits the whole question."""

    text: str
    at: int
    score: float
    terms: frozenset[str]


def with_the_other_part(
    question: str,
    texts: Sequence[str],
    line: Sequence[str],
    sentences: Sequence[Sentence],
    terms: Callable[[str], Collection[str]],
) -> str:
    """The first of the sentences with the one that answers another of the question's parts, `texts`: one that has words
    of that part which the first lacks, or its neighbour on its `line`; "" where there is none.
    """
    first, *others = sentences
    asked, words_of = fold(question), [frozenset(terms(text)) for text in texts]
    shared = frozenset.intersection(*words_of)
    parts = [_Part(AskedFor.of(text), words - shared, asked) for text, words in zip(texts, words_of, strict=True)]
    others = [one for one in others if one.text not in first.text and first.text not in one.text]
    others = [one for one in others if len(first.text) + len(one.text) < MAX_QUOTE_CHARS - len(ROW_GAP)]
    fitting = _with_words(parts, first, others) or _neighbours(parts, first, others, line)
    return _in_order(first, max(fitting, key=lambda one: one.score), line) if fitting else ""


@dataclass(frozen=True, slots=True)
class _Part:
    """`words`: terms that the other parts do not have. `asked`: the whole question, folded."""

    kinds: AskedFor
    words: frozenset[str]
    asked: str

    def is_told_by(self, text: str) -> bool:
        return all(self.kinds.found_in(text, self.asked).values())


def _with_words(parts: Sequence[_Part], first: Sentence, others: Sequence[Sentence]) -> list[Sentence]:
    """Those with most words of the first part that `first` has less than half of."""
    held = first.terms.union(*(one.terms for one in others))
    for part in parts:
        there = part.words & held
        missing = there - first.terms
        if 2 * len(missing) > len(there):
            fitting = [one for one in others if 2 * len(missing & one.terms) > len(missing)]
            if found := [one for one in fitting if part.is_told_by(one.text)]:
                return found
    return []


def _neighbours(
    parts: Sequence[_Part], first: Sentence, others: Sequence[Sentence], line: Sequence[str]
) -> list[Sentence]:
    """Those beside `first` that tell a part, unless it tells all parts itself."""
    if first.text not in line or all(part.words <= first.terms for part in parts) or _tells_all(first.text, parts):
        return []
    at = line.index(first.text)
    beside = {line[place] for place in (at - 1, at + 1) if 0 <= place < len(line)}
    return [one for one in others if one.text in beside and any(part.is_told_by(one.text) for part in parts)]


def _in_order(first: Sentence, other: Sentence, line: Sequence[str]) -> str:
    """Both as the passage has them, with a gap between unless they are neighbours on a line."""
    before, behind = sorted((first, other), key=lambda one: one.at)
    beside = before.text in line and behind.text in line and line.index(behind.text) - line.index(before.text) == 1
    return f"{before.text}{' ' if beside else ROW_GAP}{behind.text}"


def _tells_all(text: str, parts: Sequence[_Part]) -> bool:
    kinds = [{*part.kinds.found_in(text, part.asked)} for part in parts]
    if not all(kinds) or not all(part.is_told_by(text) for part in parts):
        return False
    alike = any(one == other for place, one in enumerate(kinds) for other in kinds[:place])
    return not alike or len(numbers(_NO_FIGURE.sub("", text))) >= len(parts)
