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
_NO_FIGURE = re.compile(r"^[\d.]+\s|\bpor cento\b|\bper cent\b")  # the number of a clause is none
_ASKS = re.compile(rf"\b(?:{_ASKING}|pode|posso|podem|tem|ha|precisa|preciso|can|may|must|need|is there|are there)\b")


def parts_of(question: str) -> list[str]:
    """The questions that it asks, folded; fewer than two for most."""
    return [part for part in _FURTHER.split(fold(question)) if part and _ASKS.search(part)]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text of the first quote's passage, at the place `at` there. `score`: how well it fits the whole question."""

    text: str
    at: int
    score: float
    terms: frozenset[str]


def with_the_other_part(
    question: str, line: Sequence[str], sentences: Sequence[Sentence], terms: Callable[[str], Collection[str]]
) -> str:
    """The first of the sentences with the one that answers the other part of the question: one that has words of that
    part which the first lacks, or its neighbour on its `line`. "" where the question has one part, or none is found.
    """
    first, *others = sentences
    parts = [(AskedFor.of(part), frozenset(terms(part))) for part in parts_of(question)]
    asked = fold(question)
    if len(parts) < 2 or not others:
        return ""
    others = [one for one in others if one.text not in first.text and first.text not in one.text]
    others = [one for one in others if len(first.text) + len(one.text) < MAX_QUOTE_CHARS - len(ROW_GAP)]
    for kinds, words in parts:
        there = words & frozenset().union(*(one.terms for one in sentences))
        if not there or 2 * len(there & first.terms) >= len(there):
            continue
        fitting = [one for one in others if (there - first.terms) & one.terms and _tells(one.text, kinds, asked)]
        if fitting:
            return _in_order(first, max(fitting, key=lambda one: one.score), line)
    kinds_asked = [kinds for kinds, _ in parts]
    if first.text not in line or _tells_both(first.text, kinds_asked, asked):
        return ""
    at = line.index(first.text)
    beside = {line[place] for place in (at - 1, at + 1) if 0 <= place < len(line)}
    fitting = [
        one for one in others if one.text in beside and any(_tells(one.text, kinds, asked) for kinds in kinds_asked)
    ]
    return _in_order(first, max(fitting, key=lambda one: one.score), line) if fitting else ""


def _in_order(first: Sentence, other: Sentence, line: Sequence[str]) -> str:
    """Both as the passage has them, with a gap between unless they are neighbours on a line."""
    before, behind = sorted((first, other), key=lambda one: one.at)
    beside = before.text in line and behind.text in line and line.index(behind.text) - line.index(before.text) == 1
    return f"{before.text}{' ' if beside else ROW_GAP}{behind.text}"


def _tells(text: str, part: AskedFor, asked: str) -> bool:
    return all(part.found_in(text, asked).values())


def _tells_both(text: str, parts: Sequence[AskedFor], asked: str) -> bool:
    kinds = [{*part.found_in(text, asked)} for part in parts]
    if not all(kinds) or not all(_tells(text, part, asked) for part in parts):
        return False
    alike = any(one == other for place, one in enumerate(kinds) for other in kinds[:place])
    return not alike or len(numbers(_NO_FIGURE.sub("", text))) >= len(parts)
