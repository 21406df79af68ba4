"""How much of what exact search finds the vector index finds, too."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.search.lookup import nearest

if TYPE_CHECKING:
    from lancedb.table import Table

_BATCH_ROWS = 4_096


def exact_recall(table: "Table", vectors: NDArray[np.float32], k: int) -> float:
    """Share of the exact k nearest rows that the index finds, averaged over the query vectors (n, dimension)."""
    if not any(index.columns == ["vector"] for index in table.list_indices()):
        return 1.0  # every search is exact
    found = []
    for vector, exact in zip(vectors, _exact_nearest(table, vectors, k), strict=True):
        quick = nearest(table, vector, k, ["_rowid"])["_rowid"].to_pylist()
        found.append(len(exact.intersection(quick)) / max(1, len(exact)))
    return float(np.mean(found)) if found else 1.0


def _exact_nearest(table: "Table", vectors: NDArray[np.float32], k: int) -> list[set[int]]:
    """Row ids of the k nearest of each vector, by one pass over the table."""
    cosines = np.empty((len(vectors), 0), dtype=np.float32)
    ids = np.empty((len(vectors), 0), dtype=np.uint64)
    for batch in table.search().select(["vector", "_rowid"]).to_batches(_BATCH_ROWS):
        some = vectors @ batch["vector"].flatten().to_numpy().reshape(batch.num_rows, -1).T
        cosines = np.hstack([cosines, some])
        ids = np.hstack([ids, np.broadcast_to(batch["_rowid"].to_numpy(), some.shape)])
        best = np.argsort(-cosines, axis=1)[:, :k]
        cosines, ids = np.take_along_axis(cosines, best, 1), np.take_along_axis(ids, best, 1)
    return [set(row.tolist()) for row in ids]
