"""Cut a model's text into sentences, each with the numbers of passages that it names in brackets."""

import re
from collections.abc import Iterator

from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.language.terms import fold

_MARK = re.compile(r"\s?\[\s*(\d{1,3})\s*(?:[,;]\s*\d{1,3}\s*)*\]")
_DIGITS = re.compile(r"\d+")
LIST_MARK = re.compile(r"(?:[-–•*]|\d{1,2}[.)])\s*")
# Said of passages that do not hold the answer, in the words of the prompt or nearly so.
_NOT_FOUND = re.compile(
    r"\bnao (?:a |o |foi )?(?:encontr|ach|localiz)|\bnao (?:ha|existe|contem|consta|traz)|\bsem (?:informac|resposta)"
    r"|\b(?:not|n't|n’t) (?:find|found|contain|hold|mention|provide|specif|have|include|state)|\bcannot (?:find|answer)"
    r"|\bno (?:answer|information|mention)\b"
)


def first_end(text: str) -> int | None:
    """Where the first sentence ends, with the numbers in brackets after it; None while that cannot be known."""
    spans = sentence_spans(text)
    for number in range(1, len(spans)):
        start, end = spans[number - 1]
        if LIST_MARK.fullmatch(text[start:end]):
            continue  # the number of a list item is no sentence
        following = text[spans[number][0] :]
        if mark := re.match(r"(?:\[[\d,; ]*\]\s*)+", following):
            return spans[number][0] + len(mark[0].rstrip()) if len(following) > len(mark[0]) else None
        if following.startswith("[") and "]" not in following:
            return None
        return end
    return None


def claimed_in(raw: str) -> list[int]:
    """Numbers of passages that the sentence names, counted from 0."""
    return [int(number) - 1 for mark in _MARK.finditer(raw) for number in _DIGITS.findall(mark[0])]


def bare(raw: str) -> str:
    return _MARK.sub("", raw)


def marked_sentences(text: str) -> Iterator[tuple[str, list[int]]]:
    """The sentences that say something, without their marks, with the numbers that they name, counted from 0.

    A line that ends with a colon names what follows and says nothing of its own.
    """
    rest = text
    while rest.strip():
        end = first_end(rest)
        raw, rest = (rest, "") if end is None else (rest[:end], rest[end:])
        said = bare(raw).strip()
        if listed := LIST_MARK.match(said):
            said = said[listed.end() :]
        if said and not said.endswith(":"):
            yield said, claimed_in(raw)


def says_not_found(text: str) -> bool:
    """Whether the text says that the passages do not hold the answer."""
    return _NOT_FOUND.search(fold(text)) is not None
