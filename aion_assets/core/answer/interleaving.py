"""Show the sources of two rankers in one list, so that clicks tell which of them readers prefer.

Team draft (Radlinski et al. 2008): in each round a coin says who picks first, and each picks its best source that is
not in the list yet. It needs far fewer clicks than showing one half of the readers one ranker and the rest the other.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from aion_assets.core.answer.extractive import EXTRACTIVE, Answer, other_language
from aion_assets.core.records import Citation, Interleaved
from aion_assets.core.search.hits import Hit

# The ranker that serves, and the one that served before it.
NEW, OLD = "new", "old"


def interleave(
    answer: Answer, other: Answer, rival: str, hits: Sequence[Hit], chance: Callable[[], float] = random.random
) -> Answer:
    """The answer with the sources of both. As it is where they show the same, or only one of the two has an answer."""
    if EXTRACTIVE == answer.used == other.used:
        shown, teams = _drafted(answer.citations, other.citations, chance)
        languages = {hit.chunk_id: hit.lang for hit in hits}
        first = languages.get(shown[0].passage.chunk_id, "")
        changed = replace(answer, citations=shown, source_language=other_language(first, answer.language))
    elif answer.nearest and other.nearest:
        shown, teams = _drafted(answer.nearest, other.nearest, chance)
        changed = replace(answer, nearest=shown)
    else:
        return answer
    if _ids(answer.citations or answer.nearest) == _ids(other.citations or other.nearest):
        return answer
    return replace(changed, interleaved=Interleaved(rival, teams))


def _ids(shown: Sequence[Citation]) -> list[str]:
    return [item.passage.chunk_id for item in shown]


def _drafted(
    new: Sequence[Citation], old: Sequence[Citation], chance: Callable[[], float]
) -> tuple[list[Citation], dict[int, str]]:
    """As long as the longer of the two."""
    lists = {NEW: list(new), OLD: list(old)}
    shown: list[Citation] = []
    teams: dict[int, str] = {}
    while len(shown) < max(len(new), len(old)) and any(lists.values()):
        for team in (NEW, OLD) if chance() < 0.5 else (OLD, NEW):
            taken = set(_ids(shown))
            lists[team] = [item for item in lists[team] if item.passage.chunk_id not in taken]
            if lists[team] and len(shown) < max(len(new), len(old)):
                shown.append(replace(lists[team].pop(0), number=len(shown) + 1))
                teams[len(shown)] = team
    return shown, teams
