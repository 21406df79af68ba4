"""Learn the ranker from the stored pairs, over the index and with the embedder that serve."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.pairs import Dataset, Pair
from aion_assets.core.learn.ranking import RankedList, fit_ranker, ranked_list
from aion_assets.core.release.releases import Release
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.steps.candidate import open_retriever
from aion_assets.core.steps.report import ShowProgress, silent


@dataclass(frozen=True, slots=True)
class LearnedRanker:
    """`ranker` is that of the release when the pairs teach nothing else."""

    ranker: Ranker
    figures: dict[str, Any]


def learn_ranker(
    home: Home, release: Release, embedder: QueryEmbedder, pairs: Sequence[Pair], show: ShowProgress = silent
) -> LearnedRanker:
    retriever = open_retriever(home, release, release.models, embedder)
    start = Ranker.from_json(release.models.ranker)
    lists: list[RankedList] = []
    asked = grouped(pairs)
    for done, (question, weight) in enumerate(asked, 1):
        lists.append(replace(ranked_list(retriever, question, _doc_id), weight=weight))
        show(done, len(asked), "features")
    found = sum(bool((item.relevance > 0).any()) for item in lists)
    fitted_on = {"pairs": Dataset(list(pairs)).digest, "release": release.release_id[:16]}
    ranker = fit_ranker(lists, start, fitted_on=fitted_on)
    return LearnedRanker(ranker, {"lists": len(lists), "lists_with_right_page": found, "pairs": len(pairs)})


def grouped(pairs: Sequence[Pair]) -> list[tuple[LabelledQuestion, float]]:
    """Each question once, with every document that was found right for it and the weight of the pairs together."""
    relevant: dict[str, dict[str, int]] = {}
    weights: dict[str, float] = {}
    for pair in pairs:
        relevant.setdefault(pair.question, {})[pair.doc_id] = 1
        weights[pair.question] = weights.get(pair.question, 0.0) + pair.weight
    return [(LabelledQuestion(text, relevant[text]), weights[text]) for text in sorted(relevant)]


def _doc_id(hit: Hit) -> str:
    return hit.doc_id
