"""The interface of a loaded embedding model. `trainer.embedder.Embedder` implements it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    embedder_id: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
    def embed_query(self, text: str) -> NDArray[np.float32]: ...


class LoadEmbedder(Protocol):
    """Called only when there is something to embed, because loading a model takes seconds."""

    def __call__(self) -> Embedder: ...


class QueryEmbedder(Protocol):
    """The part of the embedder that a search needs. Vectors are L2-normalised."""

    embedder_id: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
    def embed_query(self, text: str) -> NDArray[np.float32]: ...
