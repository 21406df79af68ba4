"""Which language a text is in."""

from functools import cache
from typing import Any

# The two languages that AION speaks.
PORTUGUESE, ENGLISH = "pt", "en"
# More text does not change the answer and costs more time.
_SAMPLE_CHARS = 4_000
_MIN_LETTERS = 12
# Log-odds, in the identifier's nats, added for expected languages. They are smaller than the distance that a sentence
# of prose makes, so they decide for headings and lists of names and never against prose.
_EXPECTED = {"pt": 10.0, "en": 8.0, "es": 6.0, "fr": 4.0, "it": 4.0, "de": 4.0}
_DECLARED_BONUS = 6.0
_MIN_MARGIN = 1.0
# Constructed languages and small relatives of large ones. Lists and tables in Romance languages are mistaken for them.
_IMPLAUSIBLE = frozenset(("an", "oc", "wa", "vo", "io", "ia", "ie"))


def identify(text: str, declared: str = "") -> str:
    """ISO 639-1 code of the language of `text`, "" if it cannot be decided.

    `declared` is the document's own tag (BCP 47). Generators write it carelessly (`lang="en"` above a Portuguese book),
    so it only decides where the text does not.
    """
    hint = declared.strip().replace("_", "-").split("-")[0].lower()
    hint = hint if len(hint) == 2 and hint.isascii() and hint.isalpha() else ""
    sample = _prose(text)
    if sum(map(str.isalpha, sample)) < _MIN_LETTERS:
        return hint
    scores = {
        language: score
        for language, score in _identifier().rank(sample)
        if len(language) == 2 and language not in _IMPLAUSIBLE
    }
    if len(set(scores.values())) == 1:  # no trait of any language was found
        return hint
    for language, bonus in [*_EXPECTED.items(), (hint, _DECLARED_BONUS)]:
        if language in scores:
            scores[language] += bonus
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    return best if scores[best] - scores[second] >= _MIN_MARGIN else hint


def _prose(text: str) -> str:
    """The beginning and the middle of the text: a book may open with a cover page or a licence in English."""
    middle = len(text) // 2
    half = _SAMPLE_CHARS // 2
    return text[:_SAMPLE_CHARS] if len(text) <= _SAMPLE_CHARS else f"{text[:half]}\n{text[middle : middle + half]}"


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
