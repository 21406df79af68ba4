"""Editions of one document, "Tabela 2024" and "Tabela 2025": what holds today stands in the newest."""

import re
from collections.abc import Sequence

from aion_assets.core.language.terms import fold

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_WORD = re.compile(r"[^\W\d_]{2,}")
# The share of their words in which two editions of a sentence agree.
_ALIKE = 0.6
# An older quote is at most so much better, in log-odds.
_MUCH_BETTER = 3.0


def place_of_newest(question: str, quotes: Sequence[tuple[str, str, float]]) -> int:
    """The place of the quote that says in the newest edition what the first one says; 0 where that is the newest, or
    the question names a year. `quotes` are titles, texts and scores.
    """
    newest = 0
    if not quotes or _YEAR.search(question):
        return newest
    first_title, first_text, best = quotes[0]
    for place, (title, text, score) in enumerate(quotes):
        later = _year_of(title) > _year_of(quotes[newest][0]) > 0
        same = _without_year(title) == _without_year(first_title) and _alike(first_text, text)
        if later and same and score > best - _MUCH_BETTER:
            newest = place
    return newest


def _year_of(title: str) -> int:
    return max(map(int, _YEAR.findall(title)), default=0)


def _without_year(title: str) -> str:
    return _YEAR.sub("", fold(title))


def _alike(one: str, other: str) -> bool:
    first, second = ({*_WORD.findall(fold(text))} for text in (one, other))
    return bool(first | second) and len(first & second) / len(first | second) >= _ALIKE
