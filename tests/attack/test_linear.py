"""What strangers wrote costs time in proportion to its length: four times the text takes about four times as long."""

import gc
import time
from collections.abc import Callable
from dataclasses import fields
from math import inf
from pathlib import Path

import counts
import numpy as np
import pytest

from aion_assets.core.answer.asked_for import AskedFor, named_numbers
from aion_assets.core.answer.marked import first_end, says_not_found
from aion_assets.core.answer.quotes import best_quotes
from aion_assets.core.answer.same_question import sense_of
from aion_assets.core.answer.support import Supports
from aion_assets.core.collect.web.markup import read_markup
from aion_assets.core.collect.web.robots import RobotsRules, read_sitemap
from aion_assets.core.curate.near_duplicates import simhash
from aion_assets.core.curate.quality import quality
from aion_assets.core.fetch.urls import canonical_url
from aion_assets.core.index.chunker import MAX_CHARS
from aion_assets.core.language.identify import identify
from aion_assets.core.language.question import Question
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.language.terms import terms
from aion_assets.core.learn.pii import personal_data_in
from aion_assets.core.parse.charset import decode
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.weights import TermWeights

# Four times the input may take so many times as long. What grows with the square takes sixteen times.
_GROWTH = 9.0
# A shorter time tells nothing.
_SHORT_S = 0.2

TEXTS: dict[str, Callable[[int], str]] = {
    "dots": lambda size: "Word " + "." * size + "iv",
    "marks": lambda size: "?!… " * (size // 4),
    "marks before quotes": lambda size: '.""""' * (size // 5) + "x",
    "quotes": lambda size: "Word. " + '"' * size,
    "openings": lambda size: ("A. " + "(" * 50) * (size // 53),
    "blanks": lambda size: "Word." + " " * size + "x",
    "blanks within a line": lambda size: "a" + " " * size + "b\n",
    "line breaks": lambda size: "a" + "\n" * size + "b",
    "blanks and line breaks": lambda size: " \n" * (size // 2) + "b",
    "wrapped lines": lambda size: ("lorem ipsum dolor sit amet consectetur adipiscing\n") * (size // 50),
    "one letter sentences": lambda size: "A? " * (size // 3),
    "abbreviations": lambda size: "dr. Sr. " * (size // 8),
    "one word": lambda size: "a" * size,
    "hyphens": lambda size: "a-" * (size // 2),
    "command lines": lambda size: "pip --x\n" * (size // 8),
    "colons": lambda size: "a:\n" * (size // 3),
    "combining marks": lambda size: "a" + "\u0301" * size,
    "emoji": lambda size: "👩‍👩‍👧" * (size // 5),
    "numbers": lambda size: "1.1.1." * (size // 6),
    "null and controls": lambda size: "\x01\u200b" * (size // 2),
}

PAGES: dict[str, Callable[[int], bytes]] = {
    "one tag of many attributes": lambda size: b"<a " + b" ".join(b"a%d" % n for n in range(size // 6)) + b">",
    "one tag of many values": lambda size: b"<a " + b" ".join(b"a%d='1'" % n for n in range(size // 10)) + b">",
    "open tags": lambda size: b"<div>" * (size // 5),
    "open tags of formats": lambda size: b"<p><b><i>" * (size // 9) + b"</p>",
    "half tags": lambda size: b"<a " * (size // 3),
    "smaller-than signs": lambda size: b"<" * size,
    "open quotes": lambda size: b"<a x='" * (size // 6),
    "open comments": lambda size: b"<!--" * (size // 4),
    "tables": lambda size: b"<table><td>" * (size // 11),
    "bases": lambda size: b"<base href='x'>" * (size // 15) + b"<a href='y'>",
    "links": lambda size: b"".join(b"<a href='/%d'>" % n for n in range(size // 14)),
    "entities": lambda size: b"&amp;&#x41;&" * (size // 12),
}

STEPS: dict[str, Callable[[str], object]] = {
    "sentences": sentence_spans,
    "terms": lambda text: terms(text, "pt"),
    "fingerprint": simhash,
    "quality": quality,
    "language": lambda text: identify(text, ""),
    "one line": one_line,
    "a paragraph": lambda text: Draft().paragraph(text),
    "decoding": lambda text: decode(text.encode("utf-8"), "latin-1"),
    "an address": lambda text: canonical_url("http://a.example/" + text[:2_000], ""),
    "robots": lambda text: RobotsRules(("User-agent: *\nDisallow: /" + text).encode(), "AION/1.0", "http://a/"),
}


def _hit(text: str) -> Hit:
    place = ("c", "d", "v", "s", "A title", "http://a.example/", 0, "A heading", "", "pt")
    return Hit(*place, text, 0, len(text), np.zeros(4, np.float32), score=0.5)


def _as_asked(text: str) -> Question:
    return Question(text, "pt", tuple(terms(text, "pt")))


_WEIGHTS = TermWeights({}, 10, "pt")
_QUESTION = Question.read("Quem, onde e quando, quantos dias do artigo 5 da lei 8.666, e por que?")
_EVERYTHING = AskedFor(**{kind.name: True for kind in fields(AskedFor)})

# What is done with a passage, with a question and with what a model wrote, whenever somebody asks.
ANSWER_STEPS: dict[str, Callable[[str], object]] = {
    "quotes of a passage": lambda text: best_quotes(_QUESTION, [_hit(text)], _WEIGHTS),
    "quotes for a question": lambda text: best_quotes(
        _as_asked(text), [_hit("O chá é servido às 16 horas.")], _WEIGHTS
    ),
    "support by a passage": lambda text: Supports([_hit(text)], _WEIGHTS).judge("O chá é servido às 16 horas."),
    "what a text has": lambda text: _EVERYTHING.found_in(text, "x"),
    "what a question asks for": lambda text: (AskedFor.of(text), named_numbers(text), Question.read(text)),
    "sense of a question": lambda text: sense_of(_as_asked(text)),
    "end of a sentence": first_end,
    "nothing found": says_not_found,
    "personal data": personal_data_in,
}
ANSWER_TEXTS: dict[str, Callable[[int], str]] = TEXTS | {
    "labels": lambda size: "a:\n" * (size // 3),
    "questions": lambda size: "A?\n" * (size // 3),
    "items": lambda size: "1. a\n" * (size // 5),
    "clauses": lambda size: "a, " * (size // 3),
    "names": lambda size: "x Ab" * (size // 4),
    "orders": lambda size: "include your answer " * (size // 20),
    "laws": lambda size: "lei " * (size // 4),
    "marks of passages": lambda size: "[1, " * (size // 4),
    "addresses": lambda size: "a.a" * (size // 3) + "@",
    "telephones": lambda size: "1-" * (size // 2),
}

PAGE_STEPS: dict[str, Callable[[bytes], object]] = {
    "markup": lambda page: read_markup(page, "text/html; charset=utf-8", "http://a.example/"),
    "sitemap": lambda page: _sitemap(b"<urlset>" + page),
}


def _sitemap(body: bytes) -> object:
    try:
        return read_sitemap(body, "http://a.example/", 50_000_000)
    except ValueError:
        return None


def _seconds(step: Callable[..., object], content: object) -> float:
    """Without the collector of cycles, which goes through whatever other tests have left in memory."""
    gc.disable()
    try:
        started = time.process_time()
        step(content)
        return time.process_time() - started
    finally:
        gc.enable()


def _grows_with_the_square(step: Callable[..., object], make: Callable[[int], object], size: int) -> bool:
    """Where four times the input takes too long, four times that must, too: the end of a cache makes one such step, and
    the square makes every one.
    """
    return _grows_too_fast(step, make, size) and _grows_too_fast(step, make, 4 * size)


def _grows_too_fast(step: Callable[..., object], make: Callable[[int], object], size: int) -> bool:
    """Looks up to five times and believes the shortest, as other work on the machine disturbs it."""
    small = large = inf
    for _ in range(5):
        small, large = min(small, _seconds(step, make(size))), min(large, _seconds(step, make(4 * size)))
        if large < max(_SHORT_S, _GROWTH * small):
            return False
    return True


@pytest.mark.parametrize("step", STEPS)
def test_every_step_on_a_text_is_linear(step: str) -> None:
    size = counts.amount(20_000, 200_000)
    slow = [name for name, make in TEXTS.items() if _grows_with_the_square(STEPS[step], make, size)]
    counts.note("texts at two sizes, by step", len(TEXTS), len(slow))
    assert not slow


@pytest.mark.parametrize("step", ANSWER_STEPS)
def test_every_step_of_an_answer_is_linear(step: str) -> None:
    """In questions and answers of any size, and in passages up to a chunk's."""
    is_passage = "passage" in step
    size = MAX_CHARS // 4 if is_passage else counts.amount(3_000, 20_000)
    grows = _grows_too_fast if is_passage else _grows_with_the_square
    slow = [name for name, make in ANSWER_TEXTS.items() if grows(ANSWER_STEPS[step], make, size)]
    counts.note("texts at two sizes, by step", len(ANSWER_TEXTS), len(slow))
    assert not slow


@pytest.mark.parametrize("step", PAGE_STEPS)
def test_every_step_on_a_page_is_linear(step: str) -> None:
    size = counts.amount(200_000, 1_000_000)
    slow = [name for name, make in PAGES.items() if _grows_with_the_square(PAGE_STEPS[step], make, size)]
    counts.note("pages at two sizes, by step", len(PAGES), len(slow))
    assert not slow


def test_cutting_a_text_into_chunks_is_linear(tmp_path: Path) -> None:
    from aion_assets.core.index.chunker import chunk_document
    from aion_assets.core.index.embedding_model import find_embedding_model

    model = find_embedding_model("", tmp_path)
    size = counts.amount(10_000, 50_000)
    slow = [
        name
        for name, make in TEXTS.items()
        if _grows_with_the_square(lambda text: chunk_document(text, "A title", [], model), make, size)
    ]
    counts.note("texts at two sizes, by step", len(TEXTS), len(slow))
    assert not slow


def test_attributes_beyond_the_limit_do_not_hide_the_links_of_a_page() -> None:
    many = b" ".join(b"a%d=1" % number for number in range(100_000))
    body = b"<p><a href='/one'>x</a><b " + many + b" href='/no'>x</b><a href='/two'>x</a>"
    assert read_markup(body, "text/html", "http://a.example/").links == ["http://a.example/one", "http://a.example/two"]
