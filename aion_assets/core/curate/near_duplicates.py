"""Documents that say nearly the same, found by a fingerprint of their words."""

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, islice
from math import comb

_SHINGLE_WORDS = 3
_FINGERPRINT_BITS = 64
# A changed word moves a few bits of a passage's fingerprint; so do a few words in a hundred of a long page. Texts on
# unrelated matters differ in many more.
MAX_DISTANCE_BITS = 6
# There are two bands more than bits may differ, so at least two bands are equal: near duplicates share a pair of bands.
_BANDS = MAX_DISTANCE_BITS + 2
_PAIRS = comb(_BANDS, 2)
_BAND_BITS = _FINGERPRINT_BITS // _BANDS
_PAIR_BITS = 2 * _BAND_BITS
_NONE = -1
_WORD = re.compile(r"\w+")


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
        # The logarithm keeps a repeated footer line from outvoting the text.
        weights = 1.0 + np.log2([count for _, count in batch])
        votes += (2.0 * bits - 1.0).T @ weights
    return int.from_bytes(np.packbits(votes > 0).tobytes(), "big")


def is_near_duplicate(first: int, second: int) -> bool:
    """Whether two fingerprints differ in at most MAX_DISTANCE_BITS."""
    return (first ^ second).bit_count() <= MAX_DISTANCE_BITS


def near_duplicates(fingerprints: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Each near duplicate → the first (document, fingerprint) near to it that is not a near duplicate itself.

    Comparing only documents with a pair of equal bands keeps the work near linear.
    """
    originals = _Originals()
    names: list[str] = []
    found: dict[str, str] = {}
    for document, fingerprint in fingerprints:
        buckets = _buckets(fingerprint)
        earliest = originals.earliest_near(fingerprint, buckets)
        if earliest is None:
            originals.add(fingerprint, buckets)
            names.append(document)
        else:
            found[document] = names[earliest]
    return found


class _Originals:
    """Fingerprints by number, each in one bucket for every pair of bands. The buckets are chains in arrays, which take
    far less memory than lists in a dictionary.
    """

    def __init__(self) -> None:
        self._fingerprints = array("Q")
        self._last = array("i", [_NONE]) * (_PAIRS << _PAIR_BITS)  # newest original of each bucket
        self._before = array("i")  # for each original and pair, the one before it in their bucket

    def add(self, fingerprint: int, buckets: Sequence[int]) -> None:
        for bucket in buckets:
            self._before.append(self._last[bucket])
            self._last[bucket] = len(self._fingerprints)
        self._fingerprints.append(fingerprint)

    def earliest_near(self, fingerprint: int, buckets: Sequence[int]) -> int | None:
        earliest = len(self._fingerprints)
        for pair, bucket in enumerate(buckets):
            number = self._last[bucket]
            while number != _NONE:
                if number < earliest and is_near_duplicate(fingerprint, self._fingerprints[number]):
                    earliest = number
                number = self._before[number * _PAIRS + pair]
        return earliest if earliest < len(self._fingerprints) else None


def _starts(words: int) -> range:
    return range(max(1, words - _SHINGLE_WORDS + 1))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _buckets(fingerprint: int) -> list[int]:
    """A number for each pair of bands, of the pair and of their bits."""
    bands = [fingerprint >> (band * _BAND_BITS) & ((1 << _BAND_BITS) - 1) for band in range(_BANDS)]
    pairs = combinations(bands, 2)
    return [pair << _PAIR_BITS | one << _BAND_BITS | other for pair, (one, other) in enumerate(pairs)]
