"""The content words of a text, and how much each of them tells.

Lance ranks by its own full-text index; these terms are for judging a passage or a sentence against a question, where
the index has no say. A term is the stem of a word's dictionary form, without accents and case. Dictionaries and
Snowball's rules of both languages are applied to every word: nobody needs to know in which language a name or a heading
is, and what a rule of the other language takes from a word it takes wherever that word stands. As "use" and "files" are
words of both, the dictionary of the question's language is asked first, for the question and for passages alike.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from Stemmer import Stemmer

from aion_assets.core.search.language import ENGLISH, PORTUGUESE
from aion_assets.core.search.lemmas import lemma

if TYPE_CHECKING:
    from lancedb.table import Table

# Chunks read to weigh terms: enough to tell a frequent term from a rare one, and a bounded cost when a release loads.
SAMPLE_ROWS = 8_192
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


class TermWeights:
    """Inverse document frequencies over a sample of `documents` chunks, of the terms of one language."""

    def __init__(self, frequencies: Mapping[str, int], documents: int, language: str) -> None:
        self.language = language
        self._frequencies = frequencies
        self._documents = documents

    @classmethod
    def of_texts(cls, texts: Iterable[str], language: str) -> "TermWeights":
        frequencies: Counter[str] = Counter()
        documents = 0
        for text in texts:
            frequencies.update(set(terms(text, language)))
            documents += 1
        return cls(frequencies, documents, language)

    @classmethod
    def of_table(cls, table: "Table", language: str) -> "TermWeights":
        """From rows spread evenly over the table, so that one source does not speak for all."""
        rows = table.count_rows()
        if rows == 0:
            return cls({}, 0, language)
        step = max(1, math.ceil(rows / SAMPLE_ROWS))
        found = table.take_offsets(list(range(0, rows, step))).select(["text"]).to_arrow()
        return cls.of_texts(found["text"].to_pylist(), language)

    def terms(self, text: str) -> list[str]:
        return terms(text, self.language)

    def are_for(self, lang: str) -> bool:
        """Whether a text in `lang` is in the language of these terms; all but English go with Portuguese, as they do
        in the index."""
        return (lang == ENGLISH) == (self.language == ENGLISH)

    def weight(self, term: str) -> float:
        """ln(1 + (N − n + ½)/(n + ½)): BM25's, never negative; a term that no passage has weighs most."""
        count = self._frequencies.get(term, 0)
        return math.log1p((self._documents - count + 0.5) / (count + 0.5))

    def wanted(self, terms: Sequence[str]) -> "WantedTerms":
        return WantedTerms(terms, self)


class WantedTerms:
    """The terms of a question, which are weighed once and looked for in many texts."""

    def __init__(self, terms: Sequence[str], weights: TermWeights) -> None:
        self._weights = {term: weights.weight(term) for term in terms}
        self._pairs = {pair: self._weights[pair[0]] + self._weights[pair[1]] for pair in pairwise(terms)}
        self._total, self._pairs_total = sum(self._weights.values()), sum(self._pairs.values())

    def __contains__(self, term: str) -> bool:
        return term in self._weights

    def coverage(self, found: Iterable[str]) -> float:
        """Share of the weight of the terms that is `found`, in [0, 1]; 0 when nothing is wanted."""
        present = self._weights.keys() & found
        # In the order of the question: a sum in that of a set would differ in its last digit from process to process.
        return sum(weight for term, weight in self._weights.items() if term in present) / (self._total or 1.0)

    def pair_coverage(self, found: Sequence[str]) -> float:
        """The same of neighbouring terms: those that stand side by side in `found`, or with one other in between."""
        present = self._weights.keys() & found
        pairs = [pair for pair in self._pairs if present.issuperset(pair)]
        if not pairs:
            return 0.0
        near = {*pairwise(found), *zip(found, found[2:], strict=False)}
        return sum(self._pairs[pair] for pair in pairs if pair in near) / self._pairs_total
