"""Cut a document into chunks that fit the embedder's window and that a citation can point to."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.language.provisions import article_of, with_article
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.records import Anchor, Chunk

MAX_CHARS = 1200
OVERLAP_CHARS = 200
MIN_CUT_CHARS = 400
# A longer title and heading take more room from the passage than they are worth.
MAX_PREFIX_CHARS = 120
# Length of a chunk with its surroundings: most short documents whole, about a page of a long one. Whole articles
# instead of windows rank worse.
CONTEXT_CHARS = 2_500
_LINE = re.compile(r"^(?=\S)", re.MULTILINE)
_ARTICLE_CHARS = 60
_WORD_START = re.compile(r"(?<=\s)\S")


@dataclass(slots=True)
class _Unit:
    """A sentence, or a piece of one that no chunk could hold whole."""

    start: int
    end: int
    tokens: int
    opens_section: bool
    article: str  # that it stands in, of a law or a contract; "" before the first one


def chunk_document(text: str, title: str, anchors: Sequence[Anchor], model: EmbeddingModel) -> list[Chunk]:
    """Chunks of at most MAX_CHARS characters and `model.text_tokens` tokens, title prefix included.

    A chunk ends at a sentence end, never inside a word. It has at least MIN_CUT_CHARS, unless the text ends there or a
    single sentence fills the window. The next chunk repeats up to OVERLAP_CHARS of whole sentences, but not across a
    heading or the beginning of an article. Page and heading are those that most of a chunk belongs to. One that begins
    within an article names it after its heading.
    """
    offsets = [anchor.offset for anchor in anchors]
    sections = {after.offset for before, after in pairwise(anchors) if after.heading != before.heading}
    longest_prefix = max((model.count_tokens(above(title, anchor.heading)) for anchor in anchors), default=0)
    budget = model.text_tokens - max(longest_prefix, model.count_tokens(above(title, ""))) - 1
    articles = _articles(text)
    budget -= max((model.count_tokens(f", {name}") for name in {*articles.values()}), default=0)
    units = list(_units(text, sections, articles, budget, model))
    chunks: list[Chunk] = []
    first = 0
    while first < len(units):
        last = _fill(units, first, budget)
        start, end = units[first].start, units[last].end
        place = bisect_right(offsets, _place_start(start, end, offsets)) - 1
        anchor = anchors[place] if place >= 0 else Anchor(0)
        body = text[start:end]
        article = _article_within(units[first : last + 1], articles)
        heading, prefix = (with_article(name, article) for name in (anchor.heading, above(title, anchor.heading)))
        embed_text = f"{prefix}\n{body}" if prefix else body
        tokens = sum(unit.tokens for unit in units[first : last + 1])
        chunks.append(Chunk(start, end, body, embed_text, tokens, anchor.page, heading, anchor.fragment))
        first = _next_first(units, first, last, budget)
    return chunks


def surroundings(text: str, start: int, end: int) -> str:
    """The chunk `text[start:end]` with what stands around it, CONTEXT_CHARS in all, cut between words."""
    margin = max(0, CONTEXT_CHARS - (end - start)) // 2
    # Room that one end of the document leaves unused goes to the other side.
    begin = max(0, min(start - margin, len(text) - CONTEXT_CHARS))
    finish = min(len(text), max(end + margin, CONTEXT_CHARS))
    if begin > 0:
        begin = next((match.start() for match in _WORD_START.finditer(text, begin, start)), start)
    if finish < len(text):
        finish = max(end, finish - len(text[end:finish].rpartition(" ")[2])) if " " in text[end:finish] else end
    return text[begin:finish].strip()


def above(title: str, heading: str) -> str:
    """What a passage is about, for the embedder: the title and the innermost heading, at most MAX_PREFIX_CHARS."""
    innermost = heading.rsplit(" > ", 1)[-1]
    parts = [title] if innermost in ("", title) else [title, innermost]
    return " – ".join(part for part in parts if part)[:MAX_PREFIX_CHARS].strip()


def _articles(text: str) -> dict[int, str]:
    """The articles of a law or the clauses of a contract, by the offsets of the lines that they begin."""
    begun = (
        (match.start(), article_of(text[match.start() : match.start() + _ARTICLE_CHARS]))
        for match in _LINE.finditer(text)
    )
    return {start: article for start, article in begun if article}


def _article_within(units: Sequence[_Unit], articles: dict[int, str]) -> str:
    """The article that a chunk begins within, if most of the chunk belongs to that; else ""."""
    article, start, end = units[0].article, units[0].start, units[-1].end
    if not article or start in articles:
        return ""
    until = next((unit.start for unit in units if unit.article != article), end)
    return article if until - start >= (end - start) / 2 else ""


def _units(
    text: str, sections: set[int], articles: dict[int, str], budget: int, model: EmbeddingModel
) -> Iterator[_Unit]:
    spans = sentence_spans(text)
    token_spans = model.token_spans([text[start:end] for start, end in spans])
    article = ""
    for (start, end), tokens in zip(spans, token_spans, strict=True):
        opens = start in sections or start in articles
        article = articles.get(start, "" if start in sections else article)
        if len(tokens) <= budget and end - start <= MAX_CHARS:
            yield _Unit(start, end, len(tokens), opens, article)
            continue
        for piece_start, piece_end, count in _split_words(text[start:end], tokens, budget):
            yield _Unit(start + piece_start, start + piece_end, count, opens, article)
            opens = False


def _split_words(sentence: str, tokens: list[tuple[int, int]], budget: int) -> Iterator[tuple[int, int, int]]:
    """Split an over-long sentence at word starts. A single word longer than a chunk (base64, a URL) is cut anywhere."""
    starts = [0, *(match.start() for match in _WORD_START.finditer(sentence))]
    begin_char, begin_token = 0, 0
    while begin_char < len(sentence):
        room = begin_token + budget
        reach = tokens[room][0] if room < len(tokens) else len(sentence)
        reach = min(reach, begin_char + MAX_CHARS)
        if reach < len(sentence):
            at_word = starts[bisect_right(starts, reach) - 1]
            reach = at_word if at_word > begin_char else reach
        next_token = begin_token
        while next_token < len(tokens) and tokens[next_token][0] < reach:
            next_token += 1
        piece = sentence[begin_char:reach].rstrip()
        if piece:
            yield begin_char, begin_char + len(piece), next_token - begin_token
        begin_char, begin_token = reach, next_token


def _fill(units: list[_Unit], first: int, budget: int) -> int:
    """Index of the last unit of the chunk that begins at `first`."""
    start, tokens, last = units[first].start, units[first].tokens, first
    while last + 1 < len(units):
        following = units[last + 1]
        too_long = following.end - start > MAX_CHARS or tokens + following.tokens > budget
        new_section = following.opens_section and units[last].end - start >= MIN_CUT_CHARS
        if too_long or new_section:
            break
        last += 1
        tokens += following.tokens
    return last


def _next_first(units: list[_Unit], first: int, last: int, budget: int) -> int:
    """Index of the next chunk's first unit: back over whole sentences that fit the overlap and leave room for more."""
    following = last + 1
    if following >= len(units) or units[following].opens_section:
        return following
    begin = following
    end = units[last].end
    while begin - 1 > first and end - units[begin - 1].start <= OVERLAP_CHARS:
        begin -= 1
        if units[begin].opens_section:
            break
    while begin < following and _fill(units, begin, budget) <= last:
        begin += 1
    return begin


def _place_start(start: int, end: int, offsets: Sequence[int]) -> int:
    """Start of the place that a citation of `text[start:end]` names: the one that most of the text belongs to.

    A chunk may span places: short sections are merged, and the rest of one is filled up with the next.
    """
    borders = [start, *offsets[bisect_right(offsets, start) : bisect_left(offsets, end)], end]
    return max(pairwise(borders), key=lambda part: part[1] - part[0])[0]
