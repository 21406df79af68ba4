"""The content words of a text, and how much each of them tells.

Lance ranks by its own full-text index; these terms are for judging a passage or a sentence against a question, where
the index has no say. A term is the stem of a word's dictionary form, without accents and case. Dictionaries and
Snowball's rules of both languages are applied to every word: nobody needs to know in which language a name or a heading
is, and what a rule of the other language takes from a word it takes wherever that word stands. As "use" and "files" are
words of both, the dictionary of the question's language is asked first, for the question and for passages alike.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from Stemmer import Stemmer

from aion_assets.core.language.lemmas import lemma
from aion_assets.core.language.question import ENGLISH, PORTUGUESE

if TYPE_CHECKING:
    pass

_WORD = re.compile(r"\w+")
# For bytes.translate, which parts a text in a quarter of the time in which a regular expression finds its words.
_PARTED = bytes(code if code >= 128 or re.match(r"\w", chr(code)) else ord(" ") for code in range(256))
_CAO = re.compile(r"cao$")
_CACHED_WORDS = 1 << 17
# Without caches of their own, as _Terms is one. They are called with the interpreter's lock held, so threads may share.
_STEM_PT, _STEM_EN = Stemmer("portuguese", 0), Stemmer("english", 0)
_STOP_WORDS = frozenset(
    # Portuguese, accents folded
    "a as o os um uma uns umas de do da dos das em no na nos nas num numa ao aos por pelo pela pelos pelas para pra "
    "com sem sob sobre entre ate apos desde e ou mas nem que se como quando onde quem qual quais quanto quantos quanta "
    "quantas porque pois ja nao sim mais menos muito muita muitos muitas tambem so apenas eu tu ele ela eles elas nos "
    "vos voce voces me te lhe lhes seu sua seus suas meu minha este esta estes estas isto esse essa esses essas isso "
    "aquele aquela aqueles aquelas aquilo foi foram era eram ser sao e sido sendo esta estao estava ter tem tinha "
    "havia ha pode podem deve devem fazer faz feito qualquer cada todo toda todos todas outro outra outros outras "
    # English
    "an and are at be been being but by can could did does do for from had has have he her his how i if in into is it "
    "its may me might more most my of on or our should she that the their them then there these they this those to was "
    "we were what when where which while who whom whose why will with would you your than so such not any all each "
    "other some about".split()
)


class _Terms(dict[bytes, tuple[str, ...]]):
    """Stretch of text between two ASCII characters that are of no word → its terms; most stretches are one word.

    The dictionary of the first of `languages` is asked first. What was asked before is a plain look-up: a search asks
    for the words of some hundred texts.
    """

    def __init__(self, *languages: str) -> None:
        self._languages = languages

    def __missing__(self, stretch: bytes) -> tuple[str, ...]:
        if len(self) >= _CACHED_WORDS:
            self.clear()
        found = (_term(word, self._languages) for word in _WORD.findall(stretch.decode()))
        self[stretch] = terms = tuple(filter(None, found))
        return terms


_ENGLISH_TERMS, _OTHER_TERMS = _Terms(ENGLISH, PORTUGUESE), _Terms(PORTUGUESE, ENGLISH)


def _term(word: str, languages: Sequence[str]) -> str:
    """ "" for a word that tells nothing."""
    if fold(word) in _STOP_WORDS:
        return ""
    # Dictionaries hold nothing but letters, and looking in vain takes longest.
    form = fold(lemma(word, *languages) if word.isalpha() else word)
    if form in _STOP_WORDS:  # "fez" says as little as "fazer"
        return ""
    # Snowball knows the ending -ção only with its cedilla, which many people do not type.
    return fold(_STEM_EN.stemWord(_STEM_PT.stemWord(_CAO.sub("ção", form)))).removesuffix("e")


def fold(text: str) -> str:
    """Lower case, without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))


def terms(text: str, language: str) -> list[str]:
    """Content terms in order, repeated as they repeat. Only terms of one `language` compare."""
    known = _ENGLISH_TERMS if language == ENGLISH else _OTHER_TERMS
    stretches = text.encode("utf-8", "replace").translate(_PARTED).split()
    return [*chain.from_iterable(map(known.__getitem__, stretches))]


def content_words(text: str) -> str:
    """The words of a text that are no function words of either language; all of it when it has no others."""
    return " ".join(word for word in _WORD.findall(text) if fold(word) not in _STOP_WORDS) or text
