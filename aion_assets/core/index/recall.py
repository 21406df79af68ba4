"""Recall of the vector index: how much of what exact search finds it finds, too."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.index.lookup import nearest

if TYPE_CHECKING:
    from lancedb.table import Table

_BATCH_ROWS = 4_096
# Two ways to compute the same cosine differ by at most so much.
_ROUNDING = 1e-5


def exact_recall(table: "Table", vectors: NDArray[np.float32], k: int) -> float:
    """Share of k rows found by the index that are as near as the exact k nearest, averaged over the query vectors (n,
    dimension). Equally near rows, such as those of a repeated text, count alike.
    """
    if not any(index.columns == ["vector"] for index in table.list_indices()):
        return 1.0  # every search is exact
    found = []
    for vector, exact in zip(vectors, _exact_nearest(table, vectors, k), strict=True):
        quick = nearest(table, vector, k, ["_rowid"])["dense"].to_numpy()
        found.append(float((quick >= exact.min() - _ROUNDING).sum()) / len(exact))
    return float(np.mean(found)) if found else 1.0


def _exact_nearest(table: "Table", vectors: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Cosines of the k nearest of each vector, (n, at most k), by one pass over the table."""
    best = np.empty((len(vectors), 0), dtype=np.float32)
    for batch in table.search().select(["vector"]).to_batches(_BATCH_ROWS):
        cosines = vectors @ batch["vector"].flatten().to_numpy().reshape(batch.num_rows, -1).T
        best = -np.sort(-np.hstack([best, cosines]), axis=1)[:, :k]
    return best
