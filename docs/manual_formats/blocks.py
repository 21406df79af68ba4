"""A chapter as the plain blocks that every format can show.

The manual keeps to headings, paragraphs, flat lists, tables and fenced listings, with strong and code text inside;
anything else is an error here, so that no format drops it silently.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token


class ManualError(Exception):
    """The manual cannot be built; the message names the chapter."""


@dataclass(frozen=True, slots=True)
class Span:
    text: str
    strong: bool = False
    code: bool = False


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: Spans


@dataclass(frozen=True, slots=True)
class ItemList:
    ordered: bool
    items: tuple[Spans, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The first row is the header."""

    rows: tuple[tuple[Spans, ...], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    text: str


Block = Heading | Paragraph | ItemList | Table | Listing


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    lang: str
    title: str
    source: str
    blocks: tuple[Block, ...]


def markdown_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def read_chapter(path: Path, lang: str) -> Chapter:
    """The chapter of that Markdown file. Raises ManualError: no title, or Markdown the manual does not use."""
    source = path.read_text(encoding="utf-8")
    try:
        blocks = tuple(_blocks(markdown_parser().parse(source)))
    except ManualError as error:
        raise ManualError(f"{path}: {error}") from error
    if not blocks or not isinstance(blocks[0], Heading) or blocks[0].level != 1:
        raise ManualError(f"{path}: a chapter begins with its title, a heading of level 1.")
    return Chapter(path.stem, lang, blocks[0].text, source, blocks)


def plain(spans: Spans) -> str:
    return "".join(span.text for span in spans)


def slug(heading: str) -> str:
    """`heading` as the id of an element: "Avaliação, nota" becomes "avaliacao-nota"."""
    ascii_text = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    stream = iter(tokens)
    for token in stream:
        match token.type:
            case "heading_open":
                yield Heading(int(token.tag[1]), plain(_spans(next(stream))))
            case "paragraph_open":
                yield Paragraph(_spans(next(stream)))
            case "fence":
                yield Listing(token.content.rstrip("\n"))
            case "bullet_list_open" | "ordered_list_open":
                yield ItemList(token.type == "ordered_list_open", tuple(_items(stream, token)))
            case "table_open":
                yield Table(tuple(_rows(stream)))
            case "heading_close" | "paragraph_close":
                pass
            case other:
                raise ManualError(f"line {token.map[0] + 1 if token.map else '?'}: {other} is not used in the manual.")


def _items(stream: Iterator[Token], opening: Token) -> Iterator[Spans]:
    for token in stream:
        if token.type == opening.type.replace("open", "close"):
            return
        if token.type == "inline":
            yield _spans(token)
        elif token.type not in ("list_item_open", "list_item_close", "paragraph_open", "paragraph_close"):
            raise ManualError(f"a list holds {token.type}; its items are single paragraphs in the manual.")


def _rows(stream: Iterator[Token]) -> Iterator[tuple[Spans, ...]]:
    cells: list[Spans] = []
    for token in stream:
        if token.type == "table_close":
            return
        if token.type == "inline":
            cells.append(_spans(token))
        elif token.type == "tr_close":
            yield tuple(cells)
            cells = []


def _spans(inline: Token) -> Spans:
    spans: list[Span] = []
    strong = False
    for token in inline.children or []:
        match token.type:
            case "text":
                spans.append(Span(token.content, strong=strong))
            case "code_inline":
                spans.append(Span(token.content, strong=strong, code=True))
            case "softbreak":
                spans.append(Span(" ", strong=strong))
            case "strong_open":
                strong = True
            case "strong_close":
                strong = False
            case other:
                raise ManualError(f"{other} in {inline.content!r} is not used in the manual.")
    return tuple(span for span in spans if span.text)
