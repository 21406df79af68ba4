"""Words that differ by a slip of the pen."""

# Words share so many of their trigrams when they differ by a letter or two.
ALIKE = 0.4


def trigrams(word: str) -> frozenset[str]:
    bounded = f"^{word}$"
    return frozenset(bounded[at : at + 3] for at in range(len(bounded) - 2))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the trigrams of both that both have."""
    return len(one & other) / (len(one | other) or 1)
