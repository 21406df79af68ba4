"""Whether a text denies something."""

import re

from aion_assets.core.language.identify import ENGLISH
from aion_assets.core.language.terms import fold

_WORD = re.compile(r"\w+(?:n['’]t)?")
_NEGATIONS = frozenset(
    "nao nunca jamais nem sem nenhum nenhuma proibido proibida not never neither nor without".split()
)
_ENGLISH_NEGATIONS = _NEGATIONS | {"no"}  # in Portuguese it is "in the"


def is_negated(text: str, language: str) -> bool:
    words = [*map(fold, _WORD.findall(text))]
    negations = _ENGLISH_NEGATIONS if language == ENGLISH else _NEGATIONS
    return any(word in negations or word.endswith(("n't", "n’t")) for word in words)
