"""Embed texts as L2-normalised vectors: one engine for the pipeline, the server and the evaluation."""

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.home import Home
from aion_assets.core.index.embedder import Embedder as EmbedderLike
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.lake.memory import give_back
from aion_assets.core.release.encoders import Encoders, encoders_of
from aion_assets.core.release.manifest import ModelManifest
from trainer.bert import MappedWeights, bert_graph, can_be_drawn
from trainer.openvino import Core, InferRequest

Vectors = NDArray[np.float32]
Tokens = Sequence[Sequence[int]]
# Texts are sorted by length within windows of so many, so that memory stays bounded.
SORT_WINDOW = 2048
# Tokens between two reports of progress. Every step ends with a wait for its last request.
STEP_TOKENS = 8192
# Tokens of a request. Short texts share one, which fills its matrices.
_REQUEST_TOKENS = 512
# Of a sentence that stands for none.
_FIRST_TOKENS = 8


class _Encoder(Protocol):
    def encode(self, sentences: Tokens) -> Vectors: ...


class Embedder:
    """`precision` is "bf16" where the processor computes in bfloat16, otherwise "fp32". Safe to use from threads."""

    def __init__(self, model: EmbeddingModel, precision: str = "") -> None:
        self.model = model
        self.embedder_id = model.embedder_id
        self.dimension = model.dimension
        self.precision = precision or best_precision()
        config = json.loads((model.folder / "config.json").read_text())
        if can_be_drawn(model.folder, config) and model.encoder.pooling == "mean":
            self._encoder: _Encoder = _Graph(model, config, self.precision)
        else:
            self._encoder = _SentenceTransformer(model)

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of passages, (len(texts), dimension), in the order given. `progress` gets the number of texts done
        after every step.

        A text longer than the model's window loses its end. Chunks always fit.
        """
        return self._embed(texts, self.model.encoder.passage_prefix, progress)

    def embed_query(self, text: str) -> Vectors:
        """(dimension,)"""
        return self._embed([text], self.model.encoder.query_prefix)[0]

    def _embed(self, texts: Sequence[str], prefix: str, progress: Callable[[int], None] | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        done = 0
        for begin in range(0, len(texts), SORT_WINDOW):
            window = self._tokens([prefix + text for text in texts[begin : begin + SORT_WINDOW]])
            for step in _steps(window):
                vectors[[begin + row for row in step]] = self._encoder.encode([window[row] for row in step])
                done += len(step)
                if progress is not None:
                    progress(done)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        limit = self.model.window_tokens
        post = self.model.tokenizer.post_process
        if len(texts) == 1:  # for a single text, tokenizing in threads takes longer
            encodings = [self.model.tokenizer.encode(texts[0], add_special_tokens=False)]
        else:
            encodings = self.model.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for encoding in encodings:
            encoding.truncate(limit)
        return [post(encoding).ids for encoding in encodings]


class ApartEmbedder:
    """Passages by one model, questions by another whose vectors lie in the same space. A server seldom embeds a
    passage, so that model is loaded with its first use.
    """

    def __init__(self, passages: EmbeddingModel, questions: EmbeddingModel) -> None:
        self.embedder_id = passages.embedder_id
        self.dimension = passages.dimension
        self._model = passages
        self._questions = Embedder(questions)
        self._loading = Lock()

    @cached_property
    def _passages(self) -> Embedder:
        return Embedder(self._model)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dimension)"""
        with self._loading:
            passages = self._passages
        return passages.embed(texts)

    def embed_query(self, text: str) -> Vectors:
        """(dimension,)"""
        return self._questions.embed_query(text)


def embedder_of(home: Home, models: ModelManifest) -> EmbedderLike:
    """The one that the models name, whatever the settings say by now. Raises EmbedderError: it is not here."""
    return load_encoders(encoders_of(home, models))


def load_encoders(encoders: Encoders) -> EmbedderLike:
    if encoders.passages == encoders.questions:
        return Embedder(encoders.passages)
    return ApartEmbedder(encoders.passages, encoders.questions)


def best_precision() -> str:
    return "bf16" if "BF16" in Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "fp32"


def _steps(window: Tokens) -> Iterator[list[int]]:
    """Steps of row numbers by rising length, at most STEP_TOKENS tokens each."""
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


class _Graph:
    """A BERT model in OpenVINO. A request holds sentences of one length, which saves padding and masks."""

    def __init__(self, model: EmbeddingModel, config: dict[str, Any], precision: str) -> None:
        self._dimension = model.dimension
        self._weights = MappedWeights(model.folder)
        self._words = self._weights.words()
        self._compiled = Core().compile_model(
            bert_graph(self._weights, config),
            "CPU",
            {
                # Each request runs on one core. Several cores on one request answer a question sooner, but full text
                # needs them meanwhile, and together they need more processor time.
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": {"bf16": "bf16", "fp32": "f32"}[precision],
                # A process pinned to cores waits for other processes that run there.
                "ENABLE_CPU_PINNING": False,
            },
        )
        # One request more than run at once, so that no core waits.
        self._at_once = 1 + int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._idle: list[InferRequest] = []
        # With the first sentence OpenVINO makes its own copies of the weights. It does not read the file's after that.
        self.encode([[0] * _FIRST_TOKENS])
        self._weights.put_back()
        give_back()

    def encode(self, sentences: Tokens) -> Vectors:
        """(len(sentences), dimension)"""
        vectors = np.empty((len(sentences), self._dimension), dtype=np.float32)
        running: deque[tuple[InferRequest, list[int]]] = deque()

        def finish_oldest() -> None:
            request, rows = running.popleft()
            request.wait()
            vectors[rows] = request.get_output_tensor().data
            self._idle.append(request)

        # Wait for the requests one after the other. OpenVINO's alternative, a Python callback from its threads, aborts
        # a process that ends while such a thread waits for the interpreter.
        for rows in _requests(sentences):
            if len(running) == self._at_once:
                finish_oldest()
            request = self._idle_request()
            ids = np.array([sentences[row] for row in rows], dtype=np.int32)
            request.start_async(self._words[ids])
            running.append((request, rows))
        while running:
            finish_oldest()
        return vectors

    def _idle_request(self) -> InferRequest:
        """Reuse a request: making one takes time. Safe to call from several threads."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()


def _requests(sentences: Tokens) -> Iterator[list[int]]:
    """Row numbers of sentences of one length, at most _REQUEST_TOKENS tokens. `sentences` are by rising length."""
    for length, group in groupby(range(len(sentences)), key=lambda row: len(sentences[row])):
        rows = [*group]
        size = max(1, _REQUEST_TOKENS // length)
        yield from (rows[begin : begin + size] for begin in range(0, len(rows), size))


class _SentenceTransformer:
    """Any other architecture or pooling, with sentence-transformers."""

    def __init__(self, model: EmbeddingModel) -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(model.folder), device="cuda" if torch.cuda.is_available() else "cpu")

    def encode(self, sentences: Tokens) -> Vectors:
        """(len(sentences), dimension)"""
        import torch

        longest = max(len(sentence) for sentence in sentences)
        ids = torch.zeros(len(sentences), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, sentence in enumerate(sentences):
            ids[row, : len(sentence)] = torch.tensor(sentence)
            mask[row, : len(sentence)] = 1
        device = self._model.device
        with torch.inference_mode():
            features = self._model({"input_ids": ids.to(device), "attention_mask": mask.to(device)})
        vectors: Vectors = features["sentence_embedding"].float().cpu().numpy()
        return vectors
