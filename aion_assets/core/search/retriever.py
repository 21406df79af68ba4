"""Hybrid retrieval over one version of the index."""

import time
from collections.abc import Callable, Collection
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aion_assets.core.lake import is_in, quoted
from aion_assets.core.search.features import evidence
from aion_assets.core.search.fusion import FusionConfig, best_per_document, fuse, select_diverse
from aion_assets.core.search.hits import Hit, QueryEmbedder, Retrieval, Vector
from aion_assets.core.search.language import clean_question, question_language
from aion_assets.core.search.lookup import matching, nearest
from aion_assets.core.search.terms import TermWeights

if TYPE_CHECKING:
    from lancedb.table import Table

CANDIDATES = 24
SELECTED = 8
# Rows asked of each half: a passage that is good for both stands among the first of both.
_POOL = 50
# Hidden rows are dropped after the search, which costs nothing however many documents are hidden; only when they
# crowd out the rest are they excluded inside it.
_COLUMNS = [item.name for item in fields(Hit) if item.name not in ("dense", "lexical", "score")] + ["tenant_id"]


class Retriever:
    """`table` is `knowledge`, checked out at the version of a release."""

    def __init__(self, table: "Table", embedder: QueryEmbedder, tenant_id: str, fusion: FusionConfig) -> None:
        self.embedder = embedder
        self.fusion = fusion
        self._table = table
        self._tenant_id = tenant_id

    @cached_property
    def weights(self) -> TermWeights:
        return TermWeights.of_table(self._table)

    def search(
        self, question: str, k: int, *, hidden_docs: Collection[str] = (), hidden_sources: Collection[str] = ()
    ) -> list[Hit]:
        """The best passage of each of the k best documents."""
        question = clean_question(question)
        vector = self.embedder.embed_query(question)
        hits = self._candidates(question, vector, max(_POOL, 3 * k), _Hidden(hidden_docs, hidden_sources))
        return [hits[index] for index in best_per_document([hit.doc_id for hit in hits], range(len(hits)))][:k]

    def retrieve(
        self, question: str, *, hidden_docs: Collection[str] = (), hidden_sources: Collection[str] = ()
    ) -> Retrieval:
        """The passages to answer from: CANDIDATES by fused score, of which SELECTED are kept for diversity."""
        started = time.monotonic()
        question = clean_question(question)
        vector = self.embedder.embed_query(question)
        hits = self._candidates(question, vector, _POOL, _Hidden(hidden_docs, hidden_sources))
        pool = hits[:CANDIDATES]
        selected: list[Hit] = []
        if pool:
            relevance = np.array([hit.score for hit in pool])
            order = select_diverse(relevance, np.stack([hit.vector for hit in pool]), SELECTED)
            selected = [pool[index] for index in order]
        mean_cosine = float(np.mean([hit.dense for hit in selected])) if selected else -1.0
        return Retrieval(
            question=question,
            language=question_language(question),
            hits=selected,
            raw_confidence=min(1.0, max(0.0, (mean_cosine + 1) / 2)),
            features=evidence(question, hits, self.weights),
            query_vector=vector,
            weights=self.weights,
            seconds=time.monotonic() - started,
        )

    def _candidates(self, question: str, vector: Vector, pool: int, hidden: "_Hidden") -> list[Hit]:
        """All that either half finds, by falling fused score."""
        found: dict[str, dict[str, Any]] = {}
        tenant = self._tenant_id
        for ask in (
            lambda k, where: nearest(self._table, vector, k, _COLUMNS, where=where),
            lambda k, where: matching(self._table, question, k, _COLUMNS, where=where),
        ):
            for row in _visible_rows(ask, pool, tenant, hidden):
                found.setdefault(row["chunk_id"], row).update(row)
        hits = [_hit(row, vector) for row in found.values()]
        scores = fuse(
            np.array([hit.dense for hit in hits]),
            np.array([hit.lexical for hit in hits]),
            self.fusion.dense_weight(question_language(question)),
        )
        for hit, score in zip(hits, scores, strict=True):
            hit.score = float(score)
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


class _Hidden:
    def __init__(self, doc_ids: Collection[str], source_ids: Collection[str]) -> None:
        self.doc_ids = frozenset(doc_ids)
        self.source_ids = frozenset(source_ids)

    def holds(self, row: dict[str, Any]) -> bool:
        return row["doc_id"] in self.doc_ids or row["source_id"] in self.source_ids

    def filter(self, tenant_id: str) -> str:
        parts = [f"tenant_id = {quoted(tenant_id)}"]
        parts += [f"NOT {is_in('doc_id', sorted(self.doc_ids))}"] if self.doc_ids else []
        parts += [f"NOT {is_in('source_id', sorted(self.source_ids))}"] if self.source_ids else []
        return " AND ".join(parts)


def _visible_rows(
    ask: Callable[[int, str], list[dict[str, Any]]], pool: int, tenant_id: str, hidden: _Hidden
) -> list[dict[str, Any]]:
    rows = ask(pool, "")
    visible = [row for row in rows if row["tenant_id"] == tenant_id and not hidden.holds(row)]
    if len(visible) < pool // 2 and len(rows) == pool:
        return ask(pool, hidden.filter(tenant_id))
    return visible


def _hit(row: dict[str, Any], query: Vector) -> Hit:
    vector = np.asarray(row["vector"], dtype=np.float32)
    return Hit(
        **{name: row[name] for name in _COLUMNS if name not in ("vector", "tenant_id", "page")},
        page=row["page"] or 0,
        vector=vector,
        dense=float(row.get("dense", vector @ query)),
        lexical=float(row.get("lexical", 0.0)),
    )
