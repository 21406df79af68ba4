"""Decode several answers at once: every step reads the weights once for all of them.

The rows of a batch are padded on the left to one length. A row joins after its prompt has been read and leaves when it
ends, so that nobody waits for the longest answer of a group.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trainer.generation import Generation

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(slots=True, eq=False)
class Row:
    """One answer under way. `ids` are the generated tokens; `rng` makes its draws its own."""

    generation: Generation
    prompt: list[int]
    rng: Any
    ids: list[int] = field(default_factory=list)


class Batch:
    """The rows that share one adapter. `cache` holds keys and values, each (rows, heads, length, size)."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.rows: list[Row] = []
        self._cache: Any = None
        self._mask: Tensor | None = None  # (rows, length), 0 where a row is padded

    def join(self, row: Row, cache: Any) -> None:
        """Add a row whose prompt has been read into `cache`."""
        import torch

        length = cache.get_seq_length()
        alone = torch.ones(1, length, dtype=torch.long, device=self._model.device)
        self.rows.append(row)
        if self._mask is None:
            self._cache, self._mask = cache, alone
            return
        longest = max(length, self._mask.shape[1])
        for mine, other in zip(self._cache.layers, cache.layers, strict=True):
            mine.keys = torch.cat([_padded(mine.keys, longest), _padded(other.keys, longest)])
            mine.values = torch.cat([_padded(mine.values, longest), _padded(other.values, longest)])
        masks = [torch.nn.functional.pad(mask, (longest - mask.shape[1], 0)) for mask in (self._mask, alone)]
        self._mask = torch.cat(masks)

    def drop(self, ended: set[int]) -> None:
        """Remove the rows of these numbers, and the padding that nobody needs any more."""
        if not ended:
            return
        kept = [number for number in range(len(self.rows)) if number not in ended]
        self.rows = [self.rows[number] for number in kept]
        if not kept:
            self._cache = self._mask = None
            return
        assert self._mask is not None
        mask = self._mask[kept]
        first = int(mask.argmax(dim=1).min())
        self._mask = mask[:, first:].contiguous()
        for layer in self._cache.layers:
            layer.keys = layer.keys[kept, :, first:].contiguous()
            layer.values = layer.values[kept, :, first:].contiguous()

    def step(self) -> "Tensor":
        """Read the newest token of every row; logits of the next, (rows, vocabulary)."""
        import torch

        assert self._mask is not None
        places = self._mask.sum(dim=1, keepdim=True)
        self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        newest = torch.tensor([[row.ids[-1]] for row in self.rows], device=self._model.device)
        out = self._model(
            input_ids=newest,
            attention_mask=self._mask,
            position_ids=places,
            past_key_values=self._cache,
            use_cache=True,
        )
        return out.logits[:, -1]


class Prompt:
    """A prompt that is read in stretches, between the steps of those who answer already."""

    # Tokens of a stretch. A longer one makes the others wait, a shorter one reads the weights more often.
    STRETCH = 256

    def __init__(self, model: Any, row: Row) -> None:
        from transformers import DynamicCache

        self._model, self.row = model, row
        self.cache = DynamicCache()
        self._read = 0

    def read_on(self) -> "Tensor | None":
        """Logits of the first token of the answer, (1, vocabulary), once the prompt has been read to its end."""
        import torch

        stretch = self.row.prompt[self._read : self._read + self.STRETCH]
        places = torch.arange(self._read, self._read + len(stretch), device=self._model.device)[None]
        self._read += len(stretch)
        out = self._model(
            input_ids=torch.tensor([stretch], device=self._model.device),
            attention_mask=torch.ones(1, self._read, dtype=torch.long, device=self._model.device),
            position_ids=places,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1] if self._read == len(self.row.prompt) else None


def next_token(logits: "Tensor", row: Row) -> int:
    """Draw from the logits (vocabulary) as the row's limits say.

    The repetition penalty counts what was generated, not the prompt: an answer from passages repeats their words.
    """
    import torch

    limits = row.generation.limits
    logits = logits.float()
    if row.ids and limits.repetition_penalty != 1.0:
        seen = torch.tensor(sorted(set(row.ids)), device=logits.device)
        scores = logits[seen]
        penalty = limits.repetition_penalty
        logits[seen] = torch.where(scores > 0, scores / penalty, scores * penalty)
    if limits.temperature <= 0:
        return int(logits.argmax())
    likely, order = torch.sort(torch.softmax(logits / limits.temperature, dim=-1), descending=True)
    # The smallest set of tokens whose probability reaches top_p; the likeliest always belongs to it.
    kept = max(1, int((likely.cumsum(0) - likely < limits.top_p).sum()))
    drawn = torch.multinomial(likely[:kept].cpu(), 1, generator=row.rng)
    return int(order[int(drawn)])


def _padded(tensor: "Tensor", length: int) -> "Tensor":
    import torch

    return torch.nn.functional.pad(tensor, (0, 0, length - tensor.shape[-2], 0))
