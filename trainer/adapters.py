"""Adapters of a base model: written with a proof of what they do, and loaded only when the proof holds.

An adapter is a folder: PEFT's adapter_config.json and adapter_model.safetensors, and aion_adapter.json with the digest
of both, the digest of the base model's weights, and a functional fingerprint. The digest is the adapter's name, so that
one name never means two sets of weights.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aion_assets.core.errors import AdapterError
from aion_assets.core.ids import digest as digest_of
from aion_assets.core.ids import file_hash
from aion_assets.core.lake.durable import write_durably
from trainer.base_model import BaseModel
from trainer.fingerprint import Fingerprint, Logits, measure

if TYPE_CHECKING:
    from torch import Tensor

RECORD, CONFIG, WEIGHTS = "aion_adapter.json", "adapter_config.json", "adapter_model.safetensors"
FORMAT = 1
_NAME_DIGITS = 16
_DIGEST = re.compile(r"[0-9a-f]{16,64}")
# The linear layers of the Llama, Mistral, Qwen and Gemma families.
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# What else a PEFT configuration may ask for would make the weights mean something else.
_PLAIN = {"peft_type": "LORA", "bias": "none", "use_dora": False, "modules_to_save": None, "fan_in_fan_out": False}


@dataclass(frozen=True, slots=True)
class AdapterRecord:
    """What stands in aion_adapter.json."""

    digest: str
    base_digest: str
    base_name: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class _Files:
    record: AdapterRecord
    config: Mapping[str, Any]
    tensors: "Mapping[str, Tensor]"


class Adapters:
    """The adapters that one model has loaded. To be used by the one thread that owns the model."""

    def __init__(self, base: BaseModel) -> None:
        self._base = base
        self._wrapped: Any = None
        self.loaded: set[str] = set()
        self._recorded: dict[str, Fingerprint] = {}
        self._active = ""
        self.merged = ""

    def load(self, folder: Path) -> str:
        """Load the adapter and return its digest. One that is loaded already is left as it is.

        Raises AdapterError: it is not what its record says, is for another base model, or changes nothing. What was
        loaded before stays.
        """
        files = _read(folder, self._base)
        name = files.record.digest
        if name in self.loaded or name == self.merged:
            return name
        if self.merged:
            raise AdapterError(
                f"Adapter {self.merged[:12]} is merged into the weights.", "Start the model server again to swap."
            )
        before = self._active
        try:
            self._add(name, files)
            self.loaded.add(name)
            self._prove(name, files.record.fingerprint)
        except Exception as error:
            self.forget(name)
            self.activate(before)
            if isinstance(error, AdapterError):
                raise
            raise AdapterError(
                f"Adapter {name[:12]} cannot be loaded: {type(error).__name__}.", "Train it again."
            ) from error
        self.activate(before)
        self._recorded[name] = files.record.fingerprint
        return name

    def merge(self, name: str) -> None:
        """Compute the loaded adapter into the weights, which saves a third of each token's time and ends all swapping.

        Raises AdapterError: weights of four bits cannot hold it, or the merged model says something else than with it.
        """
        if name and self.merged == name:
            return
        if self.merged or name not in self.loaded:
            raise AdapterError(f"Adapter {name[:12] or 'none'} is not loaded, or another one is merged.", "Reload it.")
        if getattr(self._base.model, "is_quantized", False):
            raise AdapterError("Weights of four bits cannot hold an adapter.", "Serve it live.")
        self.activate(name)
        self._wrapped.merge_adapter(adapter_names=[name])
        recorded = self._recorded[name]
        if reason := recorded.differs_from(Fingerprint(recorded.without, measure(self._base))):
            self._wrapped.unmerge_adapter()
            raise AdapterError(f"Adapter {name[:12]}, merged, {reason}.", "Serve it live.")
        self._wrapped.unload()
        self._wrapped, self.loaded, self.merged = None, set(), name

    def activate(self, name: str) -> None:
        """The model computes with this adapter from now on; "" means none."""
        if self._wrapped is None or name == self._active:
            return
        if name:
            self._wrapped.base_model.enable_adapter_layers()
            self._wrapped.set_adapter(name, inference_mode=True)
        else:
            self._wrapped.base_model.disable_adapter_layers()
        self._active = name

    def forget(self, name: str) -> None:
        """Free the memory of an adapter that nothing uses any more."""
        if self._wrapped is None or name not in self._wrapped.peft_config:
            return
        self.loaded.discard(name)
        # PEFT keeps at least one adapter. It is idle until the next one comes.
        if others := [other for other in self._wrapped.peft_config if other != name]:
            self._wrapped.set_adapter(others[0], inference_mode=True)
            self._wrapped.delete_adapter(name)
        self._wrapped.base_model.disable_adapter_layers()
        self._active = ""

    def _add(self, name: str, files: _Files) -> None:
        from peft import LoraConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict

        plain = ("r", "lora_alpha", "target_modules", "use_rslora")
        config = LoraConfig(task_type="CAUSAL_LM", **{key: files.config[key] for key in plain if key in files.config})
        config.inference_mode = True
        if self._wrapped is None:
            self._wrapped = PeftModel(self._base.model, config, adapter_name=name)
            self._active = name
        elif name not in self._wrapped.peft_config:
            self._wrapped.add_adapter(name, config)
        expected = get_peft_model_state_dict(self._wrapped, adapter_name=name)
        wrong = sorted(expected.keys() ^ files.tensors.keys())
        if wrong:
            raise AdapterError(f"Adapter {name[:12]} lacks or adds {len(wrong)} weights, such as {wrong[0]}.")
        shaped = [key for key, value in files.tensors.items() if value.shape != expected[key].shape]
        if shaped:
            raise AdapterError(f"Adapter {name[:12]} has another rank than it says, in {shaped[0]}.")
        set_peft_model_state_dict(self._wrapped, dict(files.tensors), adapter_name=name)

    def _prove(self, name: str, recorded: Fingerprint) -> None:
        self.activate("")
        without = measure(self._base)
        self.activate(name)
        reason = recorded.differs_from(Fingerprint(without, measure(self._base)))
        if reason:
            raise AdapterError(f"Adapter {name[:12]} {reason}.", "Train it again on the base model that serves.")


def write_adapter(
    wrapped: Any, base: BaseModel, folder: Path, probe: Callable[[BaseModel], Logits] = measure
) -> AdapterRecord:
    """Write the trained adapter of a PEFT model with its record, which comes last. `probe` measures what the model
    computes of fixed inputs.

    Raises AdapterError: it changes nothing.
    """
    wrapped.eval()
    with wrapped.disable_adapter():
        without = probe(base)
    fingerprint = Fingerprint(without, probe(base))
    if fingerprint.is_idle:
        raise AdapterError("The adapter changes nothing that the model says.", "Train longer, or with more samples.")
    # Adapters hold no embeddings; PEFT would ask the hub whether they should.
    wrapped.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    _order_config(folder / CONFIG)
    record = AdapterRecord(_digest(folder), base.digest, base.name, fingerprint)
    body = {
        "format": FORMAT,
        "digest": record.digest,
        "base_digest": record.base_digest,
        "base_name": record.base_name,
        "fingerprint": fingerprint.as_dict(),
    }
    write_durably(folder / RECORD, json.dumps(body, indent=1).encode())
    return record


def _order_config(path: Path) -> None:
    """PEFT keeps the names of modules in a set, whose order is another one in every process; the bytes must not be."""
    config = json.loads(path.read_text("utf-8"))
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    path.write_text(json.dumps(ordered, indent=1, sort_keys=True), "utf-8")


def folder_name(digest: str) -> str:
    """Of the adapter with this digest, beside the others."""
    return digest[:_NAME_DIGITS]


def adapter_folder(root: Path, digest: str) -> Path | None:
    """Where the adapter lies; None for "", which is none. Raises AdapterError: another adapter lies there, or none."""
    if not digest:
        return None
    if not _DIGEST.fullmatch(digest):  # it becomes part of a path
        raise AdapterError(f"{digest[:80]!r} is no digest of an adapter.")
    folder = root / folder_name(digest)
    try:
        found = json.loads((folder / RECORD).read_text("utf-8"))["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterError(
            f"Adapter {folder.name} is not among the adapters of this machine.", f"Bring its folder to {root}."
        ) from error
    if found != digest:
        raise AdapterError(f"The folder {folder.name} holds another adapter.", f"Bring the right one to {root}.")
    return folder


def complaint_of(folder: Path) -> str:
    """What is wrong with the files of an adapter, "" where they are what was trained. Loads nothing."""
    try:
        recorded = json.loads((folder / RECORD).read_text("utf-8"))["digest"]
        same = _digest(folder) == recorded
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"Adapter {folder.name} cannot be read: {type(error).__name__}."
    return "" if same else f"Adapter {folder.name} is not what was trained."


def _read(folder: Path, base: BaseModel) -> _Files:
    """Everything that can be checked without the model. Raises AdapterError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / WEIGHTS).is_file():
        others = sorted(path.name for path in folder.glob("adapter_model.*")) if folder.is_dir() else []
        found = f"only {others[0]}, a format that can run code" if others else "no weights"
        raise AdapterError(f"{folder.name} holds {found}.", f"An adapter has its weights in {WEIGHTS}.")
    try:
        body = json.loads((folder / RECORD).read_text("utf-8"))
        config = json.loads((folder / CONFIG).read_text("utf-8"))
        fingerprint = Fingerprint.from_dict(body["fingerprint"])
        record = AdapterRecord(body["digest"], body["base_digest"], body["base_name"], fingerprint)
        written = int(body["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterError(f"{folder.name} is no whole adapter: {type(error).__name__}.", "Train it again.") from error
    if written > FORMAT:
        raise AdapterError(f"The adapter is written in format {written}; this AION reads {FORMAT}.", "Install a newer.")
    if record.base_digest != base.digest:
        raise AdapterError(
            f"The adapter is for {record.base_name} ({record.base_digest[:12]}), and the model that serves is "
            f"{base.name} ({base.digest[:12]}).",
            "Train it on this base model.",
        )
    if _digest(folder) != record.digest:
        raise AdapterError("The adapter's weights or configuration are not those that were trained.", "Train it again.")
    odd = sorted(key for key, value in _PLAIN.items() if config.get(key, value) != value)
    if odd:
        raise AdapterError(f"The adapter uses {odd[0]}={config[odd[0]]!r}, which AION does not serve.")
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, ValueError) as error:
        raise AdapterError(f"{WEIGHTS} is broken: {type(error).__name__}.", "Train it again.") from error
    return _Files(record, config, tensors)


def _digest(folder: Path) -> str:
    return digest_of("adapter", file_hash(folder / CONFIG), file_hash(folder / WEIGHTS))
