"""Understand a question that leans on the one before: "And on Sundays?" is searched for with what it continues."""

import re
from collections.abc import Sequence

from aion_assets.core.language.question import Question
from aion_assets.core.language.terms import fold

# Words that continue, and words that point at something said before. Accents are folded.
_CONTINUES = re.compile(
    r"(?:e|mas|ou|entao|and|but|or|so|then)\b(?! se\b)|(?:e )?(?:quanto a|sobre)\b|(?:what|how) about\b", re.IGNORECASE
)
_POINTS = frozenset(
    "ele ela eles elas isso isto esse essa esses essas disso disto desse dessa nisso nele nela nesse nessa dele dela "
    "deles delas aquilo aquele aquela la mesmo mesma outro outra it its they them their that this those these there he "
    "she his her one ones same other".split()
)
# With fewer content words a question rarely stands alone.
_FEW_TERMS = 2
_WORD = re.compile(r"\w+")
# How many questions back one may lean.
_MOST_BACK = 3


def in_context(question: Question, before: Sequence[str]) -> Question:
    """What to search for. `before` are the earlier questions of the conversation, the newest first."""
    if not before or not leans(question):
        return question
    earlier = in_context(Question.read(before[0]), before[1:_MOST_BACK])
    return Question.read(f"{earlier.text} {question.text}")


def leans(question: Question) -> bool:
    """Whether the question can only be understood with the one before."""
    folded = fold(question.text)
    if _CONTINUES.match(folded) or len(set(question.terms)) < _FEW_TERMS:
        return True
    return len(question.terms) <= 2 * _FEW_TERMS and not _POINTS.isdisjoint(_WORD.findall(folded))
