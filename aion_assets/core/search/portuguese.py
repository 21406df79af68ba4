"""Portuguese plurals, for the full-text index.

Lance folds accents before it stems, so that Snowball's rules for -ção and -ções never see their letters, and of the
other irregular plurals (-ais, -éis, -óis, -ns) Snowball knows none: a search for "eleição" would not find "eleições".
"""

import re

# Words that only look like plurals.
_NO_PLURALS = frozenset("depois demais jamais menos atrais através".split())
_PLURAL = re.compile(r"\b\w{2,}?(ões|oes|ães|aes|ais|eis|éis|ois|óis|uis|ns)\b", re.IGNORECASE)
_SINGULAR = {
    "ões": "ão", "oes": "ao", "ães": "ão", "aes": "ao", "ais": "al", "eis": "el", "éis": "el", "ois": "ol",
    "óis": "ol", "uis": "ul", "ns": "m",
}  # fmt: skip
_MIN_CHARS = 5


def with_singulars(text: str) -> str:
    """The text with these plurals turned into singulars; others are left to the stemmer."""
    return _PLURAL.sub(_singular, text)


def _singular(match: re.Match[str]) -> str:
    word, ending = match[0], match[1]
    if len(word) < _MIN_CHARS or word.lower() in _NO_PLURALS:
        return word
    return word[: -len(ending)] + _SINGULAR[ending.lower()]
