"""Small models that tests make from those that come with the packages."""

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from aion_assets.core.index.embedding_model import find_embedding_model


def altered_model(folder: Path) -> Path:
    """The bundled embedding model with slightly other weights: another model of the same quality."""
    shutil.copytree(find_embedding_model().folder, folder)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("word_embeddings.weight"))
    weights[name] = weights[name] * np.float32(1.0001)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
