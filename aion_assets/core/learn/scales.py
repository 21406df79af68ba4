"""Choose how much of an adapter is used, on questions that it was not trained on: held-out pairs and golden questions
of the dev split. So the old domain is protected; 0 means that nothing was learned that helps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.tables import CHUNKS
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.contrastive_rows import ContrastiveRows, Vectors
from aion_assets.core.learn.golden import DEV, golden_questions
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.metrics import ndcg_at_k

SCALES = (0.25, 0.5, 0.75, 1.0)
# Too few say nothing; then the whole adapter is a candidate, and the gate decides.
LEAST_QUESTIONS = 20
_MOST_QUESTIONS = 300
# In full mode so many passages are embedded for each scale.
_MOST_EMBEDDED = 1_500
_MOST_STORED = 30_000
_K = 10


@dataclass(frozen=True, slots=True)
class Pool:
    """The passages among which the right one is to be found: texts, documents and vectors of the base, in one order."""

    texts: Sequence[str]
    doc_ids: Sequence[str]
    vectors: Vectors


def judging_questions(home: Home, data: ContrastiveRows) -> list[LabelledQuestion]:
    """`relevant` names doc_ids. Golden questions first."""
    held: dict[str, dict[str, int]] = {}
    for row in data.held_out:
        held.setdefault(row.question, {})[data.passages[row.passage].doc_id] = 1
    golden = [item for item in by_document(home, golden_questions(home, DEV)) if item.answerable]
    return [*golden, *(LabelledQuestion(text, held[text]) for text in sorted(held))][:_MOST_QUESTIONS]


def pool_of(home: Home, table: str, tag: str, questions: Sequence[LabelledQuestion], *, embedded: bool) -> Pool:
    """From the index at this tag. `embedded`: a few passages only, because each is to be embedded several times."""
    of_tenant = f"tenant_id = {quoted(home.tenant_id)}"
    relevant = {name for question in questions for name in question.relevant}
    vectors: dict[str, list[float]] = {}
    for row in home.lake.rows(table, ["chunk_id", "vector"], of_tenant, tag):
        vectors[row["chunk_id"]] = row["vector"]
    rows = [
        row
        for row in home.lake.rows(CHUNKS.name, ["chunk_id", "doc_id", "embed_text"], of_tenant)
        if row["chunk_id"] in vectors
    ]
    rows.sort(key=lambda row: (row["doc_id"] not in relevant, row["chunk_id"]))
    rows = rows[: _MOST_EMBEDDED if embedded else _MOST_STORED]
    numbers = np.array([vectors[row["chunk_id"]] for row in rows], dtype=np.float32)
    return Pool([row["embed_text"] for row in rows], [row["doc_id"] for row in rows], numbers)


def dense_ndcg(
    embedder: Embedder, questions: Sequence[LabelledQuestion], doc_ids: Sequence[str], passages: Vectors
) -> float:
    """Mean nDCG@10 of documents, each by its nearest passage."""
    gained = []
    for question in questions:
        nearest = np.argsort(-(passages @ embedder.embed_query(question.text)), kind="stable")
        found = list(dict.fromkeys(doc_ids[place] for place in nearest[: 10 * _K]))
        gained.append(ndcg_at_k(found[:_K], question.relevant, _K))
    return float(np.mean(gained)) if gained else 0.0


def best_scale(by_scale: Mapping[float, float]) -> float:
    """The scale of the best figure; of like ones the smallest, which changes least. `by_scale` has that of 0, too."""
    return max(sorted(by_scale), key=lambda scale: round(by_scale[scale], 4))
