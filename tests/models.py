"""Small models that tests make from those that come with the packages."""

import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

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


@cache
def shallow_model() -> Path:
    """The folder of MiniLM's first layer: quick to train and to load, and with a meaning of words still."""
    folder = HOME_OF_MODELS / "models" / "minilm-of-one-layer"
    if (folder / "model.safetensors").is_file():
        return folder
    part = Path(mkdtemp(dir=_made(folder.parent)))
    shutil.copytree(minilm_model().folder, part, dirs_exist_ok=True)
    config = json.loads((part / "config.json").read_text()) | {"num_hidden_layers": 1}
    (part / "config.json").write_text(json.dumps(config))
    weights = load_file(part / "model.safetensors")
    kept = {name: value for name, value in weights.items() if ".layer." not in name or ".layer.0." in name}
    save_file(kept, part / "model.safetensors", metadata={"format": "pt"})
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def altered_model(folder: Path) -> Path:
    """MiniLM with slightly other weights: another model of the same quality."""
    shutil.copytree(minilm_model().folder, folder)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("word_embeddings.weight"))
    weights[name] = weights[name] * np.float32(1.0001)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
