"""An embedding model with a LoRA adapter merged into its weights: an ordinary folder in the home, written once.

OpenVINO, torch and sentence-transformers read it like any other model, so nothing that embeds knows of adapters. Its
name comes from the base, the adapter and the scale; a seal, written last, tells the digest of every file.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.errors import AdaptedModelError, AdapterError
from aion_assets.core.ids import file_hash, short_digest
from aion_assets.core.lake.durable import sync_folder, write_durably

if TYPE_CHECKING:
    from aion_assets.core.index.embedding_model import EmbeddingModel

PREFIX = "adapted-"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_WEIGHTS, _SEAL = "model.safetensors", "adapted.json"
_NAME = re.compile(rf"{PREFIX}[0-9a-f]{{16}}")
# What stands beside the weights and decides what a vector is.
_BESIDE = ("config.json", "tokenizer.json")
# PEFT's name of a factor: the layer's name between its own prefix and this.
_FACTOR = re.compile(r"base_model\.model\.(?P<layer>.+)\.lora_A\.weight")
_NEXT_STEP = "Let the models of before serve (aion release rollback --models), or train the adapter again."


@dataclass(frozen=True, slots=True)
class Adaptation:
    """`base_id` is an embedder id, `adapter` a digest. `scale` multiplies what the adapter changes."""

    base_id: str
    adapter: str
    scale: float

    @property
    def name(self) -> str:
        return PREFIX + short_digest("adapted", self.base_id, self.adapter, f"{self.scale:.4f}")[:16]


def is_adapted(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def adapted_folder(name: str, models: Path) -> Path:
    """Where the model of this name stands. Raises AdaptedModelError: it is not there, or not whole."""
    folder = models / name
    if not _is_whole(folder):
        state = "is not as it was written" if folder.is_dir() else "is not there"
        raise AdaptedModelError(f"The adapted embedding model {folder} {state}.", _NEXT_STEP)
    return folder


def root_of(name: str, models: Path) -> str:
    """Id of the embedder that was adapted, once or again and again; "" where the folder does not tell."""
    try:
        return str(json.loads((models / name / _SEAL).read_text("utf-8"))["root_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def merge_adapter(base: "EmbeddingModel", adapter: Path, wanted: Adaptation, models: Path) -> str:
    """Write the adapted model among these and return its name. One that is there and whole is left as it is.

    A layer W gets W + scale · (α / r) · B·A (Hu et al. 2021). Whoever is killed in here leaves no half model. Raises
    AdapterError: the adapter is broken or fits no layer of this base.
    """
    if _is_whole(models / wanted.name):
        return wanted.name
    tensors = _merged(base.folder / _WEIGHTS, adapter, wanted.scale)
    part = models / f".{wanted.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in _BESIDE:
        shutil.copyfile(base.folder / name, part / name)
    _describe_encoder(base, part)
    from safetensors.numpy import save_file

    save_file(tensors, part / _WEIGHTS, metadata={"format": "pt"})
    files = sorted(str(path.relative_to(part)) for path in part.rglob("*") if path.is_file())
    root_id = root_of(base.name, models) or wanted.base_id
    seal = {"base_id": wanted.base_id, "root_id": root_id, "adapter": wanted.adapter, "scale": wanted.scale}
    write_durably(part / _SEAL, json.dumps(seal | {"files": _hashes(part, files)}, indent=1).encode())
    shutil.rmtree(models / wanted.name, ignore_errors=True)
    part.rename(models / wanted.name)
    sync_folder(models)
    return wanted.name


def remove_adapted(models: Path, kept: frozenset[str]) -> list[str]:
    """Delete the adapted models of other names, and what a killed merge left; the names that went."""
    gone = []
    for folder in models.glob(f"*{PREFIX}*") if models.is_dir() else ():
        if is_adapted(folder.name.removeprefix(".").removesuffix(".part")) and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder.name)
    return sorted(gone)


def _describe_encoder(base: "EmbeddingModel", folder: Path) -> None:
    """Window, pooling and prefixes as sentence-transformers writes them, also where the base's own name tells them."""
    (folder / "1_Pooling").mkdir()
    for name in ("1_Pooling/config.json", "modules.json", "tokenizer_config.json"):
        if (base.folder / name).is_file():
            shutil.copyfile(base.folder / name, folder / name)
    encoder = base.encoder
    prompts = {"query": encoder.query_prefix, "passage": encoder.passage_prefix}
    texts = {"sentence_bert_config.json": {"max_seq_length": base.max_tokens}}
    if any(prompts.values()):
        texts["config_sentence_transformers.json"] = {"prompts": prompts}  # type: ignore[dict-item]
    for name, body in texts.items():
        (folder / name).write_text(json.dumps(body), "utf-8")


def _merged(weights: Path, adapter: Path, scale: float) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        config = json.loads((adapter / ADAPTER_CONFIG).read_text("utf-8"))
        factors: Mapping[str, Any] = load_file(adapter / ADAPTER_WEIGHTS)
        factor = scale * float(config["lora_alpha"]) / int(config["r"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise AdapterError(f"{adapter.name} is no whole adapter: {type(error).__name__}.", "Train it again.") from error
    tensors = load_file(weights)
    layers = [match["layer"] for match in map(_FACTOR.fullmatch, factors) if match]
    for layer in layers:
        name = next((key for key in (f"{layer}.weight", f"bert.{layer}.weight") if key in tensors), "")
        first, second = (factors.get(f"base_model.model.{layer}.lora_{part}.weight") for part in "AB")
        if not name or first is None or second is None or tensors[name].shape != (len(second), first.shape[1]):
            raise AdapterError(f"{adapter.name} does not fit the model: {layer}.", "Train it on this base model.")
        change = second.astype(np.float32) @ first.astype(np.float32)
        tensors[name] = tensors[name].astype(np.float32) + np.float32(factor) * change
    if not layers:
        raise AdapterError(f"{adapter.name} changes no layer of the model.", "Train it again.")
    return tensors


def _is_whole(folder: Path) -> bool:
    try:
        files = json.loads((folder / _SEAL).read_text("utf-8"))["files"]
        return bool(files) and bool(_hashes(folder, files) == files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _hashes(folder: Path, files: Any) -> dict[str, str]:
    return {name: file_hash(folder / name) for name in files}
