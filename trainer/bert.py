"""A BERT sentence encoder as an OpenVINO graph.

The graph is built from config.json and safetensors. So a process that only embeds imports neither torch nor
transformers, which saves time and memory. OpenVINO's kernels for small matrices are faster than torch's
(docs/experiments.md, speed).

The weights stay in their file, which is mapped into memory. A question needs a few rows of the table of word vectors,
half of a small model. OpenVINO reads the others once and keeps its own copies, ordered for its kernels.
"""

import json
import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.openvino import Model, Node, ops

_WEIGHTS = "model.safetensors"
_WORDS = "embeddings.word_embeddings.weight"
_PREFIX = "bert."


def can_be_drawn(folder: Path, config: dict[str, Any]) -> bool:
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and (folder / _WEIGHTS).is_file()
        and MappedWeights(folder).has_only_float32()
    )


def bert_graph(weights: "MappedWeights", config: dict[str, Any]) -> Model:
    """Maps word vectors float32 (n, length, d) of sentences of one length, special tokens included, to (n, d),
    mean-pooled.

    It has no mask: sentences of one length need none. It refers to the mapped weights and does not copy them.
    """
    return _Drawing(weights, config).graph()


class MappedWeights:
    """The tensors of a model's file, by name, read when they are touched. They must live as long as a graph of them.

    A file begins with the size of its header, which tells where each tensor is:
    https://huggingface.co/docs/safetensors
    """

    def __init__(self, folder: Path) -> None:
        with (folder / _WEIGHTS).open("rb") as file:
            size_bytes = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size_bytes))
            # OpenVINO wants memory that can be written. What is written there would not reach the file.
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        self._begin = 8 + size_bytes
        self._places = {name.removeprefix(_PREFIX): place for name, place in header.items() if name != "__metadata__"}

    def has_only_float32(self) -> bool:
        """Whole numbers left out: older files hold the numbers of the positions."""
        return {place["dtype"] for place in self._places.values()} - {"I64"} == {"F32"}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        place = self._places[name]
        begin, end = place["data_offsets"]
        count = (end - begin) // np.dtype(np.float32).itemsize
        found = np.frombuffer(self._file, np.float32, count, self._begin + begin).reshape(place["shape"])
        return found if found.flags.aligned else found.copy()

    def words(self) -> NDArray[np.float32]:
        """The vector of each token, (vocabulary, d)."""
        return self[_WORDS]

    def put_back(self) -> None:
        """Take what was read out of this process's memory. What is touched again comes back, with its neighbourhood:
        OpenVINO touches the first page of each tensor in every run."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._file.madvise(mmap.MADV_DONTNEED)


class _Drawing:
    def __init__(self, weights: MappedWeights, config: dict[str, Any]) -> None:
        self._weights = weights
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._size = int(config["hidden_size"])
        self._epsilon = float(config["layer_norm_eps"])

    def graph(self) -> Model:
        words = ops.parameter([-1, -1, self._size], np.float32, name="words")
        hidden = self._embedded(words)
        for number in range(self._layers):
            hidden = self._layer(hidden, f"encoder.layer.{number}")
        return Model([ops.reduce_mean(hidden, _ints(1), keep_dims=False)], [words], "bert")

    def _embedded(self, words: Node) -> Node:
        # Every token of a single sentence has type 0, so that row is added once, here.
        types = self._weights["embeddings.token_type_embeddings.weight"][0]
        places = ops.constant(self._weights["embeddings.position_embeddings.weight"] + types)
        length = ops.gather(ops.shape_of(words), _ints(1), _int(0))
        return self._norm(ops.add(words, ops.slice(places, _ints(0), length, _ints(1))), "embeddings.LayerNorm")

    def _layer(self, hidden: Node, name: str) -> Node:
        attended = self._linear(self._attention(hidden, f"{name}.attention.self"), f"{name}.attention.output.dense")
        hidden = self._norm(ops.add(attended, hidden), f"{name}.attention.output.LayerNorm")
        inner = ops.gelu(self._linear(hidden, f"{name}.intermediate.dense"), "erf")
        return self._norm(ops.add(self._linear(inner, f"{name}.output.dense"), hidden), f"{name}.output.LayerNorm")

    def _attention(self, hidden: Node, name: str) -> Node:
        query, key, value = (
            ops.transpose(
                ops.reshape(
                    self._linear(hidden, f"{name}.{part}"), _ints(0, 0, self._heads, self._size // self._heads), True
                ),
                _ints(0, 2, 1, 3),
            )
            for part in ("query", "key", "value")
        )
        scale = ops.constant(np.float32((self._size // self._heads) ** -0.5))
        likeness = ops.softmax(ops.multiply(ops.matmul(query, key, False, True), scale), -1)  # (n, heads, L, L)
        attended = ops.transpose(ops.matmul(likeness, value, False, False), _ints(0, 2, 1, 3))
        return ops.reshape(attended, _ints(0, 0, self._size), True)

    def _linear(self, hidden: Node, name: str) -> Node:
        weight, bias = self._pair(name)
        return ops.add(ops.matmul(hidden, _shared(weight), False, True), _shared(bias))

    def _norm(self, hidden: Node, name: str) -> Node:
        weight, bias = self._pair(name)
        normal = ops.mvn(hidden, _ints(-1), True, self._epsilon, "inside_sqrt")
        return ops.add(ops.multiply(normal, _shared(weight)), _shared(bias))

    def _pair(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]


def _shared(tensor: NDArray[np.float32]) -> Node:
    return ops.constant(tensor, shared_memory=True)


def _ints(*values: int) -> Node:
    return ops.constant(np.array(values, dtype=np.int64))


def _int(value: int) -> Node:
    return ops.constant(np.int64(value))
