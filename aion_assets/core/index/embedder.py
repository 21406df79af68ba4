"""What the pipeline and a search need of an embedding model that is loaded; `trainer.embedder.Embedder` is one."""

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
    """Called only when there is something to embed: loading a model costs seconds."""

    def __call__(self) -> Embedder: ...


class QueryEmbedder(Protocol):
    """The part of `trainer.embedder.Embedder` that a search needs; vectors are L2-normalised."""

    embedder_id: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
    def embed_query(self, text: str) -> NDArray[np.float32]: ...
