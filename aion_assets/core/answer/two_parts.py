"""Questions that ask two things at once, and the sentence beside the first quote that answers the other one."""

import re
from collections.abc import Mapping, Sequence

from aion_assets.core.answer.asked_for import AskedFor, numbers
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


def with_the_other_part(
    question: str, first: str, sentences: Sequence[str], scores: Mapping[str, float]
) -> tuple[str, str] | None:
    """The two neighbours, in their order, that answer both parts: `first` and the sentence before or behind it on its
    line; None where the question has one part, `first` answers both, or none beside it may answer the other.

    `sentences` are those of the line. `scores` tells of a sentence how well it fits the question.
    """
    parts = [AskedFor.of(part) for part in parts_of(question)]
    if len(parts) < 2 or first not in sentences or _tells_both(first, parts, fold(question)):
        return None
    at = sentences.index(first)
    beside = [place for place in (at + 1, at - 1) if 0 <= place < len(sentences)]
    fitting = [
        place
        for place in beside
        if sentences[place] in scores
        and len(first) + len(sentences[place]) < MAX_QUOTE_CHARS
        and any(_tells(sentences[place], part, fold(question)) for part in parts)
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda place: scores[sentences[place]])
    return (first, sentences[best]) if best > at else (sentences[best], first)


def _tells(text: str, part: AskedFor, asked: str) -> bool:
    return all(part.found_in(text, asked).values())


def _tells_both(text: str, parts: Sequence[AskedFor], asked: str) -> bool:
    kinds = [{*part.found_in(text, asked)} for part in parts]
    if not all(kinds) or not all(_tells(text, part, asked) for part in parts):
        return False
    alike = any(one == other for place, one in enumerate(kinds) for other in kinds[:place])
    return not alike or len(numbers(_NO_FIGURE.sub("", text))) >= len(parts)
