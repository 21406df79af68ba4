"""Dictionary forms of words: the question "como leio" should find the page that says "para ler".

Stemmers only cut endings. They do not join the forms of irregular verbs, of which Portuguese has many. Lance folds
accents before it stems, so that Snowball's rules for -ção and -ções never match. Dictionary forms let full text find
and answer more questions put to a Portuguese book.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from aion_assets.core.language.identify import PORTUGUESE

if TYPE_CHECKING:
    from simplemma import Lemmatizer

# Words that look like plurals and are not.
_NO_PLURALS = frozenset("depois demais jamais menos atrais através".split())
_PLURAL = re.compile(r"\w{2,}?(ões|oes|ães|aes|ais|eis|éis|ois|óis|uis|ns)")
_SINGULAR = {
    "ões": "ão", "oes": "ao", "ães": "ão", "aes": "ao", "ais": "al", "eis": "el", "éis": "el", "ois": "ol",
    "óis": "ol", "uis": "ul", "ns": "m",
}  # fmt: skip
_MIN_CHARS = 5
_CACHED_WORDS = 1 << 17
_WORD = re.compile(r"[^\W\d_]+")


class _Singular:
    """The singular of Portuguese words that the dictionary lacks, such as those typed without accents."""

    def get_lemma(self, token: str, lang: str) -> str:
        ending = _PLURAL.fullmatch(token) if lang == PORTUGUESE and len(token) >= _MIN_CHARS else None
        if ending is None or token in _NO_PLURALS:
            return token
        return token[: -len(ending[1])] + _SINGULAR[ending[1]]


@cache
def _lemmatizer() -> "Lemmatizer":
    """Loads a dictionary at the first word of its language: loading takes a noticeable part of a second."""
    from simplemma import Lemmatizer
    from simplemma.strategies import DictionaryLookupStrategy
    from simplemma.strategies.dictionaries import LOW_MEMORY_DICTIONARY_FACTORY

    return Lemmatizer(
        cache_max_size=_CACHED_WORDS,
        lemmatization_strategy=DictionaryLookupStrategy(LOW_MEMORY_DICTIONARY_FACTORY),
        fallback_lemmatization_strategy=_Singular(),
    )


def lemma(word: str, *languages: str) -> str:
    """The dictionary form of `word` in the first of the languages ("pt", "en") that knows it, in lower case."""
    return _lemmatizer().lemmatize(word.lower(), languages).lower()


def in_dictionary_form(text: str, language: str) -> str:
    """The text with every word in its dictionary form."""
    return _WORD.sub(lambda match: lemma(match[0], language), text)
