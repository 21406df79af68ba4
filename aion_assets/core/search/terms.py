"""The content words of a text, and how much each of them tells.

Lance ranks by its own full-text index; these terms are for judging a passage or a sentence against a question, where
the index has no say. A term is the stem of a word without accents and case. Snowball's rules of both languages are
applied to every word, Portuguese first: nobody needs to know in which language a name, a heading or a question of
three words is, and what a rule of the other language takes from a word it takes wherever that word stands.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from Stemmer import Stemmer

if TYPE_CHECKING:
    from lancedb.table import Table

# Chunks read to weigh terms: enough to tell a frequent term from a rare one, and a bounded cost when a release loads.
SAMPLE_ROWS = 8_192
_WORD = re.compile(r"\w+")
_CAO = re.compile(r"cao$")
_PLURAL = re.compile(r"(?:oes|aes|ais|eis|ois|uis)$")
_SINGULAR = {"oes": "ao", "aes": "ao", "ais": "al", "eis": "el", "ois": "ol", "uis": "ul"}
_MIN_CHARS = 5
# Without caches of their own, as _term has one. They are called with the interpreter's lock held, so threads may share.
_PORTUGUESE, _ENGLISH = Stemmer("portuguese", 0), Stemmer("english", 0)
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


@lru_cache(maxsize=1 << 17)
def _term(word: str) -> str:
    folded = fold(word)
    if folded in _STOP_WORDS:
        return ""
    # Snowball knows no irregular plurals, and the ending -ção only with its cedilla, which many people do not type.
    singular = _PLURAL.sub(lambda match: _SINGULAR[match[0]], folded) if len(folded) >= _MIN_CHARS else folded
    stem = _PORTUGUESE.stemWord(_CAO.sub("ção", singular))
    return fold(_ENGLISH.stemWord(stem)).removesuffix("e")


def fold(text: str) -> str:
    """Lower case, without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))


def terms(text: str) -> list[str]:
    """Content terms in order, repeated as they repeat."""
    return [term for word in _WORD.findall(text) if (term := _term(word))]


class TermWeights:
    """Inverse document frequencies over a sample of `documents` chunks."""

    def __init__(self, frequencies: Mapping[str, int], documents: int) -> None:
        self._frequencies = frequencies
        self._documents = documents

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> "TermWeights":
        frequencies: Counter[str] = Counter()
        documents = 0
        for text in texts:
            frequencies.update(set(terms(text)))
            documents += 1
        return cls(frequencies, documents)

    @classmethod
    def of_table(cls, table: "Table") -> "TermWeights":
        """From rows spread evenly over the table, so that one source does not speak for all."""
        rows = table.count_rows()
        if rows == 0:
            return cls({}, 0)
        step = max(1, math.ceil(rows / SAMPLE_ROWS))
        found = table.take_offsets(list(range(0, rows, step))).select(["text"]).to_arrow()
        return cls.of_texts(found["text"].to_pylist())

    def weight(self, term: str) -> float:
        """ln(1 + (N − n + ½)/(n + ½)): BM25's, never negative; a term that no passage has weighs most."""
        count = self._frequencies.get(term, 0)
        return math.log1p((self._documents - count + 0.5) / (count + 0.5))

    @property
    def greatest(self) -> float:
        """That of a term which no passage has."""
        return self.weight("")

    def coverage(self, wanted: Iterable[str], found: Iterable[str]) -> float:
        """Share of the weight of the terms `wanted` that is `found`, in [0, 1]; 0 when nothing is wanted."""
        needed = {term: self.weight(term) for term in wanted}
        total = sum(needed.values())
        if total == 0:
            return 0.0
        present = set(found)
        return sum(weight for term, weight in needed.items() if term in present) / total
