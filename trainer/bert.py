"""A BERT sentence encoder without padding.

Sentences of different lengths are laid end to end, so that the linear layers, which take most of the time, never see
a padding token; only attention looks at one sentence at a time. Weights come straight from safetensors, which spares
a process that only embeds the import of transformers (4 s and 150 MB on two cores).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

# Tokens of a step are filled up to a multiple of this. For every number of rows that it meets, oneDNN compiles a kernel
# and keeps it (0.6 MB, up to 1 024 of them), and tensors of ever new sizes leave holes in the heap that glibc cannot
# use again: without the filling, 2 000 texts left 1.2 GB behind instead of 0.4. A sentence by itself, which is a
# question that somebody waits for, is filled up to fewer: such lengths are few.
_FULL_ROWS = 32
_FULL_ROWS_ALONE = 4
# (word, bias) of one linear layer or layer norm.
Pair = tuple[Tensor, Tensor]


@dataclass(slots=True)
class _Layer:
    query_key_value: Pair  # (3·d, d)
    attention_output: Pair
    attention_norm: Pair
    intermediate: Pair
    output: Pair
    output_norm: Pair


class PackedBert:
    """Mean-pooled, L2-normalised sentence vectors of a BERT model."""

    def __init__(self, folder: Path, config: dict[str, Any], dtype: torch.dtype) -> None:
        from safetensors.torch import load_file

        weights = {name.removeprefix("bert."): value for name, value in load_file(folder / "model.safetensors").items()}

        def pair(name: str) -> Pair:
            return weights[f"{name}.weight"].to(dtype), weights[f"{name}.bias"].to(dtype)

        self.heads = int(config["num_attention_heads"])
        self.epsilon = float(config["layer_norm_eps"])
        self.words = weights["embeddings.word_embeddings.weight"].to(dtype)
        # Every token is of type 0 in a single sentence, so that row is added once, here.
        types = weights["embeddings.token_type_embeddings.weight"][0]
        self.positions = (weights["embeddings.position_embeddings.weight"] + types).to(dtype)
        self.norm = pair("embeddings.LayerNorm")
        self.layers: list[_Layer] = []
        for number in range(int(config["num_hidden_layers"])):
            name = f"encoder.layer.{number}"
            parts = [pair(f"{name}.attention.self.{part}") for part in ("query", "key", "value")]
            self.layers.append(
                _Layer(
                    (torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])),
                    pair(f"{name}.attention.output.dense"),
                    pair(f"{name}.attention.output.LayerNorm"),
                    pair(f"{name}.intermediate.dense"),
                    pair(f"{name}.output.dense"),
                    pair(f"{name}.output.LayerNorm"),
                )
            )

    @staticmethod
    def can_run(config: dict[str, Any]) -> bool:
        return (
            config.get("model_type") == "bert"
            and config.get("hidden_act") == "gelu"
            and config.get("position_embedding_type", "absolute") == "absolute"
        )

    @torch.inference_mode()
    def encode(self, sentences: Sequence[Sequence[int]]) -> Tensor:
        """Token ids, special tokens included, of each sentence → float32 (len(sentences), d), rows of length 1."""
        full_rows = _FULL_ROWS if len(sentences) > 1 else _FULL_ROWS_ALONE
        filling = [0] * (-sum(len(sentence) for sentence in sentences) % full_rows)
        packed = [*sentences, filling] if filling else sentences  # one more sentence, whose vector nobody reads
        lengths = [len(sentence) for sentence in packed]
        ids = torch.tensor([token for sentence in packed for token in sentence])
        places = torch.cat([torch.arange(length) for length in lengths])
        hidden = self._layer_norm(self.words[ids] + self.positions[places], self.norm)  # (T, d)
        for layer in self.layers:
            attended = self._attend(functional.linear(hidden, *layer.query_key_value), lengths)
            hidden = self._layer_norm(
                functional.linear(attended, *layer.attention_output) + hidden, layer.attention_norm
            )
            inner = functional.gelu(functional.linear(hidden, *layer.intermediate))
            hidden = self._layer_norm(functional.linear(inner, *layer.output) + hidden, layer.output_norm)
        pooled = torch.stack([part.mean(0) for part in torch.split(hidden.float(), lengths)[: len(sentences)]])
        return functional.normalize(pooled)

    def _attend(self, query_key_value: Tensor, lengths: list[int]) -> Tensor:
        """(T, 3·d) → (T, d); each sentence attends to itself alone, neighbours of one length in one call."""
        size = query_key_value.shape[1] // 3
        parts = []
        begin = 0
        for length, group in groupby(lengths):
            count = sum(1 for _ in group)
            part = query_key_value[begin : begin + count * length]
            begin += count * length
            query, key, value = part.view(count, length, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
            attended = functional.scaled_dot_product_attention(query, key, value)  # (count, heads, length, d/heads)
            parts.append(attended.transpose(1, 2).reshape(-1, size))
        return torch.cat(parts)

    def _layer_norm(self, hidden: Tensor, pair: Pair) -> Tensor:
        return functional.layer_norm(hidden, (hidden.shape[-1],), *pair, self.epsilon)
