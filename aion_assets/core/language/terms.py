"""The content words of a text, reduced to terms that can be compared.

Lance ranks by its own full-text index. These terms are for comparing a passage or sentence with a question. A term is
the stem of a word's dictionary form, without accents and case. Dictionaries and Snowball's rules of both languages are
applied to every word. So the language of a name or heading need not be known, and a rule of the wrong language does no
harm: it changes the word alike wherever it stands. "use" and "files" are words of both languages, therefore the
dictionary of the question's language comes first, for the question and for passages alike.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from Stemmer import Stemmer

from aion_assets.core.language.identify import ENGLISH, PORTUGUESE
from aion_assets.core.language.lemmas import lemma

if TYPE_CHECKING:
    pass

_WORD = re.compile(r"\w+")
# For bytes.translate, which splits a text into words faster than a regular expression.
_PARTED = bytes(code if code >= 128 or re.match(r"\w", chr(code)) else ord(" ") for code in range(256))
_CAO = re.compile(r"cao$")
_CACHED_WORDS = 1 << 17
# Stemmers without caches, as _Terms caches. Threads may share them: each call holds the interpreter's lock.
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


# Abbreviations by which laws are cited.
_IN_FULL = {"art": "artigo", "arts": "artigos", "inc": "inciso", "cap": "capítulo"}


class _Terms(dict[bytes, tuple[str, ...]]):
    """Stretch of text between two ASCII non-word characters → its terms. Most stretches are one word.

    The dictionary of the first of `languages` comes first. Known stretches are plain look-ups, because a search asks
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
    """ "" for a word without content."""
    if word[0].isdigit():
        return fold(word.rstrip("ºª"))  # "art. 5º" is asked for as "artigo 5"
    if fold(word) in _STOP_WORDS:
        return ""
    word = _IN_FULL.get(word.lower(), word)
    # Dictionaries hold letters only, and a look-up in vain is the slowest.
    form = fold(lemma(word, *languages) if word.isalpha() else word)
    if form in _STOP_WORDS:  # "fez" says as little as "fazer"
        return ""
    # Snowball knows the ending -ção only with its cedilla, and many people do not type it.
    return fold(_STEM_EN.stemWord(_STEM_PT.stemWord(_CAO.sub("ção", form)))).removesuffix("e")


def fold(text: str) -> str:
    """Lower case, without accents."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    return "".join(char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char))


def terms(text: str, language: str) -> list[str]:
    """Content terms in order, with repetitions. Compare only terms of the same `language`."""
    known = _ENGLISH_TERMS if language == ENGLISH else _OTHER_TERMS
    stretches = text.encode("utf-8", "replace").translate(_PARTED).split()
    return [*chain.from_iterable(map(known.__getitem__, stretches))]


def content_words(text: str) -> str:
    """The text without function words of either language; the whole text when nothing else is left."""
    return " ".join(word for word in _WORD.findall(text) if fold(word) not in _STOP_WORDS) or text
