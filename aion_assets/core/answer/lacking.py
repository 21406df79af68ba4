"""Whether the first quote cannot hold the answer: it lacks the kind of thing asked for, or speaks of another one."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Protocol

from aion_assets.core.answer.asked_for import (
    has_code,
    has_identifier,
    has_name,
    named_codes,
    named_identifiers,
    named_names,
    named_numbers,
    numbers,
)
from aion_assets.core.answer.pieces import RECORD, ROW_GAP
from aion_assets.core.answer.sought import Sought
from aion_assets.core.language.terms import fold
from aion_assets.core.search.hits import Hit

_WORD = re.compile(r"\w+")
# "Helena Prates", "Ana da Silva". The first word of a question has a capital anyway.
_FULL_NAME = re.compile(r"(?<=[\w,;:(] )([A-ZÀ-Ý][a-zà-ÿ]{2,}) (?:d[aeo]s? )?([A-ZÀ-Ý][a-zà-ÿ]{2,})")


class Quoted(Protocol):
    @property
    def hit(self) -> Hit: ...
    @property
    def text(self) -> str: ...
    @property
    def heading(self) -> str: ...


def lacks_the_thing(question: str, first: Quoted, hits: Sequence[Hit], crossed: bool) -> bool:
    """Whether the first quote has none of what the question wants told, or speaks of another one with half the name, or
    the question names a thing by a number, a code or, in its own language, a name that no passage found has.
    """
    named = named_numbers(question)
    held = frozenset().union(*(numbers(_all_of(hit)) for hit in hits)) if named else frozenset()
    unknown = (
        _one_is_nowhere(named_codes(question), has_code, hits)
        or _one_is_nowhere(named_identifiers(question), has_identifier, hits)
        or (not crossed and _names_nobody_knows(question, hits))
        or _speaks_of_another(question, first, hits)
    )
    lacks = Sought(question).lacking_in(first.text.removeprefix(first.heading))
    return bool(lacks) or unknown or (bool(named) and not named & held)


def _one_is_nowhere(things: Iterable[str], has: Callable[[str, str], bool], hits: Sequence[Hit]) -> bool:
    return any(not any(has(_all_of(hit), thing) for hit in hits) for thing in things)


def _names_nobody_knows(question: str, hits: Sequence[Hit]) -> bool:
    names = named_names(question)
    words = {*chain.from_iterable(_WORD.findall(fold(_all_of(hit))) for hit in hits)} if names else frozenset()
    return any(not has_name(words, name) for name in names)


def _speaks_of_another(question: str, first: Quoted, hits: Sequence[Hit]) -> bool:
    """Whether the quote and its title have one of the two names of somebody whom another passage, or another row of the
    same one, knows by both.
    """
    told = {*_WORD.findall(fold(f"{first.hit.title} {first.text}"))}
    is_record = RECORD.match(first.text) is not None or " | " in first.text or ROW_GAP in first.text
    for name, surname in ((fold(match[1]), fold(match[2])) for match in _FULL_NAME.finditer(question)):
        both = re.compile(rf"\b{name} (?:d[aeo]s? )?{surname}\b")
        known = [hit for hit in hits if both.search(fold(_all_of(hit)))]
        if (name in told) != (surname in told) and known and (is_record or first.hit not in known):
            return True
    return False


def _all_of(hit: Hit) -> str:
    return f"{hit.title} {hit.heading} {hit.text}"
