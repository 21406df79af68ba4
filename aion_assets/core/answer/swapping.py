"""Swap two neighbours among the sources of a few answers, at random, and note how probable each place was.

Without it no click can be weighed: people click what stands first, and only chance tells place and worth apart
(Joachims et al. 2017, swap interventions).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aion_assets.core.answer.extractive import EXTRACTIVE, Answer, other_language
from aion_assets.core.records import Citation
from aion_assets.core.search.hits import Hit

# A larger share would make places as uncertain as the swaps should make them known.
MOST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Swaps:
    """`share` of the answers have two neighbours swapped. `chance` gives numbers in [0, 1)."""

    share: float = 0.0
    chance: Callable[[], float] = random.random

    def among(self, answer: Answer, hits: Sequence[Hit]) -> Answer:
        """The answer with its sources, or what it offers instead, in the order in which people will see them.

        What a model wrote stays as it is: its text names its sources by number.
        """
        if answer.nearest:
            return replace(answer, nearest=self._drawn(answer.nearest))
        if answer.used != EXTRACTIVE:
            return answer
        citations = self._drawn(answer.citations)
        languages = {hit.chunk_id: hit.lang for hit in hits}
        first = languages.get(citations[0].passage.chunk_id, "") if citations else ""
        return replace(answer, citations=citations, source_language=other_language(first, answer.language))

    def _drawn(self, shown: Sequence[Citation]) -> list[Citation]:
        """Of n sources each pair of neighbours is swapped with the probability share / (n - 1)."""
        pairs = len(shown) - 1
        if pairs < 1 or not self.share:
            return list(shown)
        each = self.share / pairs
        stays = [1 - each * ((place > 0) + (place < pairs)) for place in range(pairs + 1)]
        drawn = [replace(item, propensity=round(chance, 6)) for item, chance in zip(shown, stays, strict=True)]
        at = int(self.chance() / each)
        if at < pairs:  # else nothing is swapped
            drawn[at], drawn[at + 1] = (
                replace(shown[at + 1], number=shown[at].number, propensity=round(each, 6)),
                replace(shown[at], number=shown[at + 1].number, propensity=round(each, 6)),
            )
        return drawn
