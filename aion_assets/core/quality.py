"""How much a document is worth reading, and which documents say nearly the same."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from math import log2

ENTROPY_WEIGHT = 0.7
LENGTH_WEIGHT = 0.3
FULL_LENGTH_CHARS = 10_000
# 32 signs used evenly: the letters, a blank and the common marks. Running Portuguese and English text has 4.1 to 4.4
# bits a character, tables 4.5 to 5, a line repeated over and over less than 3.
MAX_ENTROPY_BITS = log2(32)

_SHINGLE_WORDS = 3
_FINGERPRINT_BITS = 64
# Two fingerprints of unrelated texts differ in 32 bits; see tests/core/test_quality.py for what edits cost.
MAX_DISTANCE_BITS = 6
# One more band than bits may differ: then one band at least is equal, and only equal bands need comparing.
_BANDS = MAX_DISTANCE_BITS + 1
_WORD = re.compile(r"\w+")


def quality(text: str) -> float:
    """0.7 · entropy + 0.3 · min(1, characters / 10 000), between 0 and 1; low values need a person.

    Entropy is Shannon's, −Σ p log2 p over the relative frequencies p of the case-folded characters, as a share of
    MAX_ENTROPY_BITS and 1 at most. White space counts as one character.
    """
    folded = " ".join(text.casefold().split())
    entropy = min(1.0, _entropy_bits(folded) / MAX_ENTROPY_BITS)
    return ENTROPY_WEIGHT * entropy + LENGTH_WEIGHT * min(1.0, len(folded) / FULL_LENGTH_CHARS)


def simhash(text: str) -> int:
    """Fingerprint of 64 bits over shingles of three words (Charikar 2002): similar texts differ in few bits."""
    import numpy as np

    words = _WORD.findall(text.casefold())
    if not words:
        return _hash(text.strip())
    shingles = Counter(" ".join(words[start : start + _SHINGLE_WORDS]) for start in _starts(len(words)))
    votes = np.zeros(_FINGERPRINT_BITS)
    remaining = iter(shingles.items())
    while batch := list(islice(remaining, 50_000)):
        hashes = np.array([_hash(shingle) for shingle, _ in batch], dtype=">u8")
        bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1)
        # Logarithm: a line repeated in a footer must not outvote the text.
        weights = 1.0 + np.log2([count for _, count in batch])
        votes += (2.0 * bits - 1.0).T @ weights
    return int.from_bytes(np.packbits(votes > 0).tobytes(), "big")


def is_near_duplicate(first: int, second: int) -> bool:
    """Whether two fingerprints differ in at most MAX_DISTANCE_BITS."""
    return (first ^ second).bit_count() <= MAX_DISTANCE_BITS


def near_duplicates(fingerprints: Mapping[str, int]) -> dict[str, str]:
    """Each near duplicate → the earliest document of the mapping that it is near to and that is none itself.

    Bands keep the work near linear: 100 000 documents take about a second.
    """
    originals: dict[tuple[int, int], list[str]] = defaultdict(list)
    order = {document: position for position, document in enumerate(fingerprints)}
    found: dict[str, str] = {}
    for document, fingerprint in fingerprints.items():
        candidates = {other for band in _bands(fingerprint) for other in originals[band]}
        near = [other for other in candidates if is_near_duplicate(fingerprint, fingerprints[other])]
        if near:
            found[document] = min(near, key=order.__getitem__)
        else:
            for band in _bands(fingerprint):
                originals[band].append(document)
    return found


def _entropy_bits(text: str) -> float:
    total = len(text)
    return -sum(count / total * log2(count / total) for count in Counter(text).values()) if total else 0.0


def _starts(words: int) -> range:
    return range(max(1, words - _SHINGLE_WORDS + 1))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _bands(fingerprint: int) -> Iterator[tuple[int, int]]:
    """(band number, its bits); the bands cover all 64 bits and differ in width by one at most."""
    for band in range(_BANDS):
        start = band * _FINGERPRINT_BITS // _BANDS
        end = (band + 1) * _FINGERPRINT_BITS // _BANDS
        yield band, fingerprint >> start & ((1 << (end - start)) - 1)
