"""Small models that tests make from those that come with the packages."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from aion_assets.core.index.embedding_model import MINILM_NAME, EmbeddingModel, find_embedding_model
from aion_assets.core.index.unpacked_e5 import E5_NAME

# Multilingual E5 is unpacked here once for all tests, each of which would take a second and 155 MB otherwise.
HOME_OF_MODELS = Path(__file__).resolve().parents[1] / ".pytest_cache" / "home"


@cache
def minilm_model() -> EmbeddingModel:
    return find_embedding_model(MINILM_NAME, HOME_OF_MODELS)


@cache
def e5_model() -> EmbeddingModel:
    return find_embedding_model(E5_NAME, HOME_OF_MODELS)


def altered_model(folder: Path) -> Path:
    """MiniLM with slightly other weights: another model of the same quality."""
    shutil.copytree(minilm_model().folder, folder)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("word_embeddings.weight"))
    weights[name] = weights[name] * np.float32(1.0001)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
