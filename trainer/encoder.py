"""An embedding model that can be trained: the same weights, tokens, prefixes and pooling as when it embeds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aion_assets.core.errors import EmbedderError
from aion_assets.core.ids import file_hash
from aion_assets.core.index.embedding_model import EmbeddingModel
from trainer.base_model import BaseModel
from trainer.fingerprint import Logits

if TYPE_CHECKING:
    from torch import Tensor

# The linear layers of BERT; its pooler is not loaded.
TARGETS = ("query", "key", "value", "dense")
_PROBES = ("Qual é o prazo?", "The answer is in the second paragraph.", "artigo 5º, inciso II")


class TrainableEncoder:
    """The base of an adapter. Weights are float32."""

    def __init__(self, model: EmbeddingModel) -> None:
        import torch
        from transformers import AutoModel

        if model.encoder.pooling != "mean":
            raise EmbedderError(
                f"{model.name} pools by {model.encoder.pooling}; adapters are made for mean pooling.",
                "Choose another AION_EMBED_MODEL, or learn the ranker.",
            )
        loaded = AutoModel.from_pretrained(
            str(model.folder), dtype=torch.float32, add_pooling_layer=False, attn_implementation="sdpa"
        )
        self.model = model
        digest = file_hash(model.folder / "model.safetensors")
        self.base = BaseModel(model.embedder_id, digest, loaded, model.tokenizer, model.max_tokens)

    def tokens(self, text: str, prefix: str, limit: int) -> list[int]:
        """Ids with the special ones; a longer text loses its end."""
        encoding = self.model.tokenizer.encode(prefix + text, add_special_tokens=False)
        encoding.truncate(min(limit, self.model.window_tokens))
        return list(self.model.tokenizer.post_process(encoding).ids)

    def encode(self, network: Any, sentences: Sequence[Sequence[int]]) -> "Tensor":
        """(n, dimension), L2-normalised, by this network, which is the base with or without its adapter."""
        import torch

        longest = max(len(sentence) for sentence in sentences)
        ids = torch.zeros(len(sentences), longest, dtype=torch.long)
        mask = torch.zeros(len(sentences), longest, dtype=torch.long)
        for row, sentence in enumerate(sentences):
            ids[row, : len(sentence)] = torch.tensor(sentence)
            mask[row, : len(sentence)] = 1
        hidden = network(input_ids=ids.to(self.base.device), attention_mask=mask.to(self.base.device))
        weights = mask.to(self.base.device).unsqueeze(-1).float()
        pooled = (hidden.last_hidden_state.float() * weights).sum(1) / weights.sum(1)
        return torch.nn.functional.normalize(pooled, dim=-1)

    def probe(self, base: BaseModel) -> Logits:
        """Vectors of fixed texts (probes, dimension), with whatever adapter the model has active."""
        import torch

        prefix = self.model.encoder.query_prefix
        with torch.no_grad():
            rows = [self.encode(base.model, [self.tokens(text, prefix, 64)]) for text in _PROBES]
        return torch.cat(rows).cpu().numpy().astype(np.float32)
