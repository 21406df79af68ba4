"""Hybrid retrieval over one version of the index."""

import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.language.question import Question, as_question
from aion_assets.core.search.features import evidence
from aion_assets.core.search.hits import Hit, Retrieval, Vector
from aion_assets.core.search.ranker import Ranker, Scores
from aion_assets.core.search.reading import reading_score, readings
from aion_assets.core.search.selection import best_per_document, select_diverse, without_gathered, without_repeats
from aion_assets.core.search.stored import ResidentPassages, StoredPassages, fits_in_memory, vectors_of
from aion_assets.core.search.visibility import Visibility
from aion_assets.core.search.weights import TermWeights

if TYPE_CHECKING:
    from lancedb.table import Table

CANDIDATES = 24
SELECTED = 8
# Passages of one document, so that the page on a subject does not crowd out the one that answers.
_PER_DOCUMENT = 3
# Rows asked of each half. A passage that is good for both is among the first of both; more rows find no more.
_POOL = 30
# A few long documents may fill these rows. Then so many times as many are asked for, at most twice.
_WIDER = 4
_SHOWN = [
    item.name for item in fields(Hit) if item.name not in ("vector", "dense", "lexical", "read", "reading", "score")
]
_COLUMNS = [*_SHOWN, "tenant_id", "vector"]


class Retriever:
    """`table` is `knowledge`, checked out at the version of a release. Safe to use from several threads."""

    def __init__(self, table: "Table", embedder: QueryEmbedder, tenant_id: str, ranker: Ranker) -> None:
        self.embedder = embedder
        self.ranker = ranker
        self._passages = StoredPassages(table, _COLUMNS)
        self._tenant_id = tenant_id
        self._weights: dict[str, TermWeights] = {}
        # Full text needs no vector: it is searched, and its rows are read, while the question is being embedded.
        self._beside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="full-text")

    def with_ranker(self, ranker: Ranker) -> "Retriever":
        """The same index in another order."""
        other = copy(self)
        other.ranker = ranker
        return other

    def keep_in_memory(self) -> None:
        """For frequent searches: read the passages into memory once, if they are few enough."""
        if fits_in_memory(self._passages.table, self.embedder.dimension):
            self._passages = ResidentPassages(self._passages.table, _COLUMNS)

    def weights(self, language: str) -> TermWeights:
        """Term weights, read on first use. Call it earlier to spare the first question the wait."""
        if language not in self._weights:
            self._weights[language] = TermWeights.of_table(self._passages.table, language)
        return self._weights[language]

    def search(
        self,
        question: Question | str,
        k: int,
        *,
        hidden_docs: Collection[str] = (),
        hidden_sources: Collection[str] = (),
    ) -> list[Hit]:
        """The best passage of each of the k best documents."""
        asked = self._read_here(question)
        visible = Visibility(self._tenant_id, frozenset(hidden_docs), frozenset(hidden_sources))
        pool = max(_POOL, 3 * k)
        for size in (pool, _WIDER * pool, _WIDER**2 * pool):
            hits, _ = self._candidates(asked, size, visible)
            documents = best_per_document(hits)
            if len(documents) >= k or size >= self._passages.count:
                break
        return documents[:k]

    def candidates(self, question: Question | str) -> list[Hit]:
        """Every passage that either half finds, by falling score."""
        hits, _ = self._candidates(self._read_here(question), _POOL, Visibility(self._tenant_id))
        return hits

    def features(self, question: Question | str) -> tuple[list[Hit], Scores]:
        """The candidates by falling score, and (candidates, RANKING_FEATURES) of them."""
        asked = self._read_here(question)
        hits = self.candidates(asked)
        return hits, self.ranker.features(hits, asked.language)

    def retrieve(
        self, question: Question | str, *, hidden_docs: Collection[str] = (), hidden_sources: Collection[str] = ()
    ) -> Retrieval:
        """The passages to answer from: CANDIDATES by score, of which SELECTED are kept for diversity."""
        started = time.monotonic()
        asked = self._read_here(question)
        visible = Visibility(self._tenant_id, frozenset(hidden_docs), frozenset(hidden_sources))
        found, vector = self._candidates(asked, _POOL, visible)
        hits = [*without_repeats(found[:CANDIDATES]), *found[CANDIDATES:]]
        selected = select_diverse(_spread(hits)[:CANDIDATES], SELECTED)
        weights = self.weights(asked.language)
        mean_cosine = float(np.mean([hit.dense for hit in selected])) if selected else -1.0
        return Retrieval(
            question=asked,
            hits=selected,
            raw_confidence=min(1.0, max(0.0, (mean_cosine + 1) / 2)),
            features=evidence(asked, hits, weights),
            query_vector=vector,
            weights=weights,
            seconds=time.monotonic() - started,
            embedder=self.embedder,
        )

    def _read_here(self, question: Question | str) -> Question:
        """A question whose words tell no language is in the language of the base."""
        return as_question(question).where_spoken(self._passages.language)

    def _candidates(self, question: Question, pool: int, visible: Visibility) -> tuple[list[Hit], Vector]:
        """All that either half finds, by falling score, and the vector of the question."""
        if not question.text or not self._passages.searchable:
            return [], np.zeros(self.embedder.dimension, dtype=np.float32)
        passages = self._passages
        asked = self._beside.submit(self._matching, question, pool, visible)
        vector = self.embedder.embed_query(question.text)
        near = passages.nearest(vector, pool)
        lexical, read = asked.result()
        read |= self._read(question, [row_id for row_id in near if row_id not in lexical], visible)
        if any(_crowded_out(half, read, pool) for half in (near, lexical)):
            where = visible.filter()
            near, lexical = passages.nearest(vector, pool, where), passages.matching(question, pool, where)
            read = self._read(question, [*dict.fromkeys([*near, *lexical])], visible)
        for row_id, hit in read.items():  # the cosine is the same, whichever half found the passage
            hit.dense, hit.lexical = float(hit.vector @ vector), lexical.get(row_id, 0.0)
        hits = without_gathered(self.ranker.ranked([*read.values()], question.language))
        return self.ranker.ranked(hits, question.language), vector

    def _matching(self, question: Question, pool: int, visible: Visibility) -> tuple[dict[int, float], dict[int, Hit]]:
        """What full text finds: row id → score, and for the visible ones row id → passage."""
        lexical = self._passages.matching(question, pool)
        return lexical, self._read(question, [*lexical], visible)

    def _read(self, question: Question, ids: Sequence[int], visible: Visibility) -> dict[int, Hit]:
        """Row id → passage for the visible ones, without the scores of either half."""
        rows = visible.only(self._passages.rows(ids))
        columns = [rows[name].to_pylist() for name in _SHOWN]
        hits = [
            Hit(**dict(zip(_SHOWN, values, strict=True)), vector=vector)
            for *values, vector in zip(*columns, vectors_of(rows), strict=True)
        ]
        for hit, read in zip(hits, readings(question, hits, self.weights(question.language)), strict=True):
            hit.read, hit.reading = read, reading_score(read)
        return dict(zip(rows["_rowid"].to_pylist(), hits, strict=True))


def _spread(hits: Sequence[Hit]) -> list[Hit]:
    """At most _PER_DOCUMENT passages of every document; more where few documents would leave SELECTED unfilled."""
    enough = min(SELECTED, len(hits))
    spread = (best_per_document(hits, count) for count in range(_PER_DOCUMENT, SELECTED + 1))
    return next(kept for kept in spread if len(kept) >= enough)


def _crowded_out(found: Collection[int], visible: Collection[int], pool: int) -> bool:
    """Whether hidden rows crowded out visible ones: most of a full pool is hidden, so more rows may help."""
    return len(found) >= pool and sum(row_id in visible for row_id in found) < pool // 2
