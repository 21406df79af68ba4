"""Turn texts into L2-normalised vectors: the same engine for the pipeline, the server and the evaluation."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from aion_assets.core.embedding_model import EmbeddingModel
from trainer.bert import PackedBert

Vectors = NDArray[np.float32]
# Texts are sorted by length within a window of this many, so that memory stays bounded.
SORT_WINDOW = 2048
# Measured on 2 cores: 8 sentences of 256 tokens are the fastest step in bf16; more only spills the caches.
STEP_TOKENS = 2048


class _Encoder(Protocol):
    def encode(self, sentences: Sequence[Sequence[int]]) -> torch.Tensor: ...


class Embedder:
    """`precision` is "bf16" where the processor computes in bfloat16, otherwise "fp32"."""

    def __init__(self, model: EmbeddingModel, precision: str = "") -> None:
        self.model = model
        self.embedder_id = model.embedder_id
        self.dimension = model.dimension
        self.precision = precision or best_precision()
        config = json.loads((model.folder / "config.json").read_text())
        if PackedBert.can_run(config) and _pools_by_mean(model.folder):
            dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
            self._encoder: _Encoder = PackedBert(model.folder, config, dtype)
        else:
            self._encoder = _SentenceTransformer(model)

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """(len(texts), dimension) in the order given. `progress` gets the number of texts done after every step.

        A text longer than the model's window is cut at its end; chunks are made so that they never are.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for begin in range(0, len(texts), SORT_WINDOW):
            window = self._tokens(texts[begin : begin + SORT_WINDOW])
            for step in _steps(window):
                vectors[[begin + row for row in step]] = self._encoder.encode([window[row] for row in step]).numpy()
                done += len(step)
                if progress is not None:
                    progress(done)
        return vectors

    def embed_query(self, text: str) -> Vectors:
        """(dimension,)"""
        return self.embed([text])[0]

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        limit = self.model.text_tokens
        post = self.model.tokenizer.post_process
        encodings = self.model.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for encoding in encodings:
            encoding.truncate(limit)
        return [post(encoding).ids for encoding in encodings]


def question_embedder(model: EmbeddingModel) -> Embedder:
    """For a process that embeds nothing but questions.

    One thread reads a question as fast as two, at a third of their processor time (34 ms against 117), and leaves the
    other core to the full-text search beside it. The limit holds for the whole process.
    """
    torch.set_num_threads(1)
    return Embedder(model)


def best_precision() -> str:
    flags = Path("/proc/cpuinfo")
    if flags.is_file():
        words = set(flags.read_text().split())
        return "bf16" if words & {"amx_bf16", "avx512_bf16", "bf16"} else "fp32"
    return "fp32"


def _steps(window: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of similar length, at most STEP_TOKENS tokens a step."""
    order = sorted(range(len(window)), key=lambda row: len(window[row]))
    step: list[int] = []
    tokens = 0
    for row in order:
        if step and tokens + len(window[row]) > STEP_TOKENS:
            yield step
            step, tokens = [], 0
        step.append(row)
        tokens += len(window[row])
    if step:
        yield step


def _pools_by_mean(folder: Path) -> bool:
    pooling = folder / "1_Pooling" / "config.json"
    return not pooling.is_file() or bool(json.loads(pooling.read_text()).get("pooling_mode_mean_tokens", True))


class _SentenceTransformer:
    """Any other architecture or pooling, through sentence-transformers."""

    def __init__(self, model: EmbeddingModel) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(model.folder), device="cuda" if torch.cuda.is_available() else "cpu")

    @torch.inference_mode()
    def encode(self, sentences: Sequence[Sequence[int]]) -> torch.Tensor:
        longest = max(len(sentence) for sentence in sentences)
        ids = torch.zeros(len(sentences), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, sentence in enumerate(sentences):
            ids[row, : len(sentence)] = torch.tensor(sentence)
            mask[row, : len(sentence)] = 1
        device = self._model.device
        features = self._model({"input_ids": ids.to(device), "attention_mask": mask.to(device)})
        return torch.nn.functional.normalize(features["sentence_embedding"].float()).cpu()
