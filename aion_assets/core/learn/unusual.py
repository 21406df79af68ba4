"""How far a question lies from what people usually ask: the drift of embeddings in one figure."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def how_unusual(before: Vectors, now: Vectors) -> tuple[list[float], list[float]]:
    """1 − cosine of each vector and the mean of those before, which does not count itself. (n, dimension), of length 1;
    `before` needs two.
    """
    total = before.sum(axis=0)
    return _apart(before, total[None, :] - before), _apart(now, np.broadcast_to(total, now.shape))


def _apart(vectors: Vectors, means: Vectors) -> list[float]:
    lengths = np.maximum(np.linalg.norm(means, axis=1), 1e-12)
    return [round(float(value), 5) for value in 1 - (vectors * means).sum(axis=1) / lengths]
