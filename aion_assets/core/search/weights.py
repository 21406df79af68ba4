"""The weight of each term of a question, by its rarity in the index."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from aion_assets.core.language.identify import ENGLISH
from aion_assets.core.language.terms import terms

if TYPE_CHECKING:
    from lancedb.table import Table

# Chunks read to weigh terms: enough to tell frequent terms from rare ones, at a bounded cost when a release loads.
SAMPLE_ROWS = 8_192


class TermWeights:
    """Inverse document frequencies of the terms of one language, over a sample of `documents` chunks."""

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
        """Whether a text in `lang` is in the language of these terms. All but English count as Portuguese, as in the
        index.
        """
        return (lang == ENGLISH) == (self.language == ENGLISH)

    def weight(self, term: str) -> float:
        """ln(1 + (N − n + ½)/(n + ½)): BM25's, never negative. A term in no passage weighs most."""
        count = self._frequencies.get(term, 0)
        return math.log1p((self._documents - count + 0.5) / (count + 0.5))

    def wanted(self, terms: Sequence[str]) -> "WantedTerms":
        return WantedTerms(terms, self)


class WantedTerms:
    """The terms of a question, weighed once and looked up in many texts."""

    def __init__(self, terms: Sequence[str], weights: TermWeights) -> None:
        self._weights = {term: weights.weight(term) for term in terms}
        self._pairs = {pair: self._weights[pair[0]] + self._weights[pair[1]] for pair in pairwise(terms)}
        self._total, self._pairs_total = sum(self._weights.values()), sum(self._pairs.values())

    def __contains__(self, term: str) -> bool:
        return term in self._weights

    def coverage(self, found: Iterable[str]) -> float:
        """Share of the terms' weight that is `found`, in [0, 1]; 0 without terms."""
        present = self._weights.keys() & found
        # Sum in the order of the question: in the order of a set, the last digit would differ between processes.
        return sum(weight for term, weight in self._weights.items() if term in present) / (self._total or 1.0)

    def pair_coverage(self, found: Sequence[str]) -> float:
        """The same for neighbouring terms: found side by side in `found`, or with one other in between."""
        present = self._weights.keys() & found
        pairs = [pair for pair in self._pairs if present.issuperset(pair)]
        if not pairs:
            return 0.0
        near = {*pairwise(found), *zip(found, found[2:], strict=False)}
        return sum(self._pairs[pair] for pair in pairs if pair in near) / self._pairs_total
