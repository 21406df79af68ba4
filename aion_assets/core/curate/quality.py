"""How much a document is worth reading."""

from collections import Counter
from collections.abc import Sequence
from math import log2

ENTROPY_WEIGHT = 0.7
LENGTH_WEIGHT = 0.3
FULL_LENGTH_CHARS = 10_000
# 32 signs used evenly: the letters, a blank and the common marks. Portuguese and English prose comes near to it.
MAX_CHARACTER_BITS = log2(32)
# 512 words used evenly. In longer texts the function words repeat, and the share would fall with length.
MAX_WORD_BITS = log2(512)


def quality(text: str) -> float:
    """0.7 · entropy + 0.3 · min(1, characters / 10 000), between 0 and 1; low values need a person.

    Entropy is Shannon's, H = −Σ p log2 p over relative frequencies p, of the case-folded text with white space as
    single blanks: the smaller of H(characters) / MAX_CHARACTER_BITS and H(words) / min(log2(number of words),
    MAX_WORD_BITS), at most 1. The first is low for rulers and empty forms. The second is low for a phrase repeated over
    and over, and for encoded data, which is one long word.
    """
    words = text.casefold().split()
    folded = " ".join(words)
    by_character = _entropy_bits(folded) / MAX_CHARACTER_BITS
    by_word = _entropy_bits(words) / min(log2(max(2, len(words))), MAX_WORD_BITS)
    entropy = min(1.0, by_character, by_word)
    return ENTROPY_WEIGHT * entropy + LENGTH_WEIGHT * min(1.0, len(folded) / FULL_LENGTH_CHARS)


def _entropy_bits(signs: Sequence[str]) -> float:
    total = len(signs)
    return sum(count / total * log2(total / count) for count in Counter(signs).values())
