"""A BERT sentence encoder as an OpenVINO graph.

The graph is built from config.json and safetensors. So a process that only embeds imports neither torch nor
transformers, which saves time and memory. OpenVINO's kernels for small matrices are faster than torch's
(docs/experiments.md, speed).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.openvino import Model, Node, ops


def can_be_drawn(config: dict[str, Any]) -> bool:
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
    )


def bert_graph(folder: Path, config: dict[str, Any]) -> Model:
    """Maps token ids int32 (n, length) of sentences of one length, special tokens included, to (n, d), mean-pooled.

    It has no mask: sentences of one length need none.
    """
    return _Drawing(folder, config).graph()


class _Drawing:
    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        from safetensors.numpy import load_file

        self._weights = {
            name.removeprefix("bert."): value for name, value in load_file(folder / "model.safetensors").items()
        }
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._size = int(config["hidden_size"])
        self._epsilon = float(config["layer_norm_eps"])

    def graph(self) -> Model:
        ids = ops.parameter([-1, -1], np.int32, name="ids")
        hidden = self._embedded(ids)
        for number in range(self._layers):
            hidden = self._layer(hidden, f"encoder.layer.{number}")
        return Model([ops.reduce_mean(hidden, _ints(1), keep_dims=False)], [ids], "bert")

    def _embedded(self, ids: Node) -> Node:
        words = ops.gather(ops.constant(self._weights["embeddings.word_embeddings.weight"]), ids, _int(0))
        # Every token of a single sentence has type 0, so that row is added once, here.
        types = self._weights["embeddings.token_type_embeddings.weight"][0]
        places = ops.constant(self._weights["embeddings.position_embeddings.weight"] + types)
        length = ops.gather(ops.shape_of(ids), _ints(1), _int(0))
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
        return ops.add(ops.matmul(hidden, ops.constant(weight), False, True), ops.constant(bias))

    def _norm(self, hidden: Node, name: str) -> Node:
        weight, bias = self._pair(name)
        normal = ops.mvn(hidden, _ints(-1), True, self._epsilon, "inside_sqrt")
        return ops.add(ops.multiply(normal, ops.constant(weight)), ops.constant(bias))

    def _pair(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]


def _ints(*values: int) -> Node:
    return ops.constant(np.array(values, dtype=np.int64))


def _int(value: int) -> Node:
    return ops.constant(np.int64(value))
