"""Load a causal language model: a hub id, a folder, or a GGUF file. Only formats that hold weights and no code."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aion_assets.core.errors import GeneratorError
from aion_assets.core.ids import content_hash, file_hash

# What is fetched of a hub model: weights as safetensors, and the texts beside them.
_WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
# Assumed where a configuration names no window.
_DEFAULT_CONTEXT_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A loaded model. `digest` is the SHA-256 of its weights; `context_tokens` is its window, question and answer
    together.
    """

    name: str
    digest: str
    model: Any
    tokenizer: Any
    context_tokens: int

    @property
    def device(self) -> Any:
        return self.model.device


@dataclass(frozen=True, slots=True)
class ModelFiles:
    folder: Path
    weights: Sequence[Path]

    @property
    def gguf(self) -> str:
        """Name of the GGUF file, "" where the weights are safetensors."""
        return self.weights[0].name if self.weights[0].suffix == ".gguf" else ""


def load_base_model(name: str, *, in_4bit: bool = False) -> BaseModel:
    """The model of that hub id, folder or .gguf file. `in_4bit`: linear layers in NF4, and a
    GGUF file as it is packed.

    Weights are bfloat16 where the processor or GPU computes in it, otherwise float32.

    Raises GeneratorError: there is no such model, it has only pickled weights, it needs code of its own, or its files
    are broken.
    """
    files = find_model_files(name)
    try:
        model, tokenizer = _load(files, in_4bit)
    except GeneratorError:
        raise
    except Exception as error:  # whatever a broken file makes the loaders raise
        said = (str(error).splitlines() or [""])[0]
        raise GeneratorError(
            f"Model {name!r} cannot be loaded: {type(error).__name__}: {said}",
            "Check that its files are whole and that its architecture is one that transformers knows.",
        ) from error
    config = model.config.get_text_config()
    window = int(getattr(config, "max_position_embeddings", 0) or _DEFAULT_CONTEXT_TOKENS)
    return BaseModel(_display_name(name), _digest(files.weights), model, tokenizer, window)


def find_model_files(name: str) -> ModelFiles:
    path = Path(name).expanduser()
    if path.is_file():
        if path.suffix != ".gguf":
            raise GeneratorError(f"{path} is no model file.", "Name a .gguf file, a folder or a hub id.")
        return ModelFiles(path.parent, [path])
    return _files_in(path if path.is_dir() else _download(name), name)


def _files_in(folder: Path, name: str) -> ModelFiles:
    weights = sorted(folder.glob("*.safetensors"))
    packed = sorted(folder.glob("*.gguf"))
    if weights and (folder / "config.json").is_file():
        return ModelFiles(folder, weights)
    if len(packed) == 1:
        return ModelFiles(folder, packed)
    if packed:
        raise GeneratorError(f"{folder} holds {len(packed)} GGUF files.", f"Name one, such as {packed[0]}.")
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLED)
    if pickled:
        raise GeneratorError(
            f"Model {name!r} has its weights in {pickled[0]}, a format that can run code when it is read.",
            "Use a version with safetensors or a GGUF file.",
        )
    raise GeneratorError(
        f"{folder} holds no language model.", "It needs config.json with *.safetensors, or one .gguf file."
    )


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_WANTED)))
    except Exception as error:
        raise GeneratorError(
            f"Model {name!r} is neither a folder or file here nor reachable on the hub ({type(error).__name__}).",
            "Set AION_BASE_MODEL to a folder, a .gguf file or a hub id.",
        ) from error


def _load(files: ModelFiles, in_4bit: bool) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GgufConfig

    device, precision = training_precision()
    source = _source(files)
    quantised: Any = None
    if files.gguf:
        # Left packed, the weights take less memory and every token several times as long.
        quantised = GgufConfig(dequantize=not in_4bit)
        precision = torch.float32 if in_4bit else precision
    elif in_4bit:
        four_bits: Any = BitsAndBytesConfig
        quantised = four_bits(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    options: dict[str, Any] = {"dtype": precision, "device_map": device, "use_safetensors": True}
    if quantised is not None:
        options["quantization_config"] = quantised
    model: Any = AutoModelForCausalLM.from_pretrained(files.folder, **source, **options)
    return model.eval(), load_tokenizer(files)


def training_precision() -> tuple[str, Any]:
    """Device and type of the weights. Said outright: transformers 5 would take the precision of the file."""
    import torch

    from trainer.embedder import best_precision

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return device, torch.bfloat16 if device == "cuda" or best_precision() == "bf16" else torch.float32


def load_tokenizer(files: ModelFiles) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(files.folder, **_source(files))


def configuration_of(files: ModelFiles) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(files.folder, **_source(files))


def _source(files: ModelFiles) -> dict[str, Any]:
    """What each loader is told of the files."""
    return {"trust_remote_code": False} | ({"gguf_file": files.gguf} if files.gguf else {})


def _digest(weights: Sequence[Path]) -> str:
    digests = [file_hash(path) for path in weights]
    return digests[0] if len(digests) == 1 else content_hash("".join(digests).encode())


def _display_name(name: str) -> str:
    """A folder or file by its own name: the path is nobody's business who asks."""
    path = Path(name).expanduser()
    return path.resolve().name.removesuffix(".gguf") if path.exists() else name
