"""Lines of a PDF page. Their geometry shows where paragraphs end and which lines are headings."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aion_assets.core.parse.formats.ocr import join_lines

# Fractions of the line's height that fit two-column, tabular and running text.
_MAX_LINE_GAP = 1.0
_INDENT = 0.8
_CELL_GAP = 2.0
# A line that reaches this share of the column's width was broken by it, even with a ragged right margin.
_FULL_LINE = 0.85
_MARGIN = 0.12  # of the page's height
_HEADING_SIZE = 1.15
_MAX_HEADING_CHARS = 150
# A mark that begins a list item or numbered clause. Such a line is never joined to the one before.
_ITEM = re.compile(r"(?:[•▪◦‣·*–—-]|\(?[a-zA-Z0-9]{1,3}[.)]|§|Art\.|[IVXLC]+\s*[–—-])\s")

_PAGE_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")  # more digits are the number of an order or a case


@dataclass(slots=True)
class Line:
    """Box in points, with the origin at the lower left. `size` is that of the font."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    tabular: bool = False  # words are spaced like cells of a row
    marginal: bool = False  # lies in the margin, where page heads and feet are

    @property
    def height(self) -> float:
        return max(self.top - self.bottom, 1.0)


def read_lines(textpage: Any, page_height: float) -> list[Line]:
    """Lines in the order of the page's content stream, which keeps columns apart. Hyphens at line ends are removed."""
    from pypdfium2 import raw as pdfium

    text = textpage.get_text_range()
    # pdfium counts UTF-16 units. Each such rare character would shift the geometry by one.
    exact = len(text) == textpage.count_chars()
    lines: list[Line] = []
    margin = _MARGIN * page_height
    start = 0
    for part in text.split("\r\n"):
        # pdfium puts U+FFFE where a word is hyphenated and leaves out the line break.
        for piece in re.split("(?<=\ufffe)", part):
            content = piece.rstrip("\ufffe")
            if content.strip():
                first = start + len(content) - len(content.lstrip())
                last = start + len(content.rstrip()) - 1
                line = _measure(textpage, piece, first, last, pdfium) if exact else Line(piece.strip(), 0, 0, 0, 0, 0)
                line.marginal = exact and not margin < (line.bottom + line.top) / 2 < page_height - margin
                lines.append(line)
            start += len(piece)
        start += 2
    return lines


def _measure(textpage: Any, text: str, first: int, last: int, pdfium: Any) -> Line:
    left, bottom, _, top = textpage.get_charbox(first, loose=True)
    _, _, right, _ = textpage.get_charbox(last, loose=True)
    size = float(pdfium.FPDFText_GetFontSize(textpage, first))
    tabular = False
    for index in range(first + 1, last):
        if text[index - first] == " " and not tabular:
            gap = textpage.get_charbox(index + 1)[0] - textpage.get_charbox(index - 1)[2]
            tabular = gap > _CELL_GAP * max(top - bottom, 1.0)
    return Line(text.strip(), left, bottom, right, top, size if size > 2 else top - bottom, tabular)


def paragraphs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The paragraphs, each as its lines."""
    group: list[Line] = []
    for line in lines:
        if group and not _continues(group, line):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _continues(group: Sequence[Line], line: Line) -> bool:
    before = group[-1]
    if before.text.endswith("\ufffe"):
        return True
    gap = before.bottom - line.top
    if not -before.height < gap < _MAX_LINE_GAP * before.height or abs(before.size - line.size) > 0.1 * before.size:
        return False  # elsewhere on the page, after a gap, or in another size
    if line.tabular or before.tabular or _ITEM.match(line.text):
        return False
    left = min(member.left for member in group)
    if len(group) > 1 and line.left - left > _INDENT * line.height:
        return False
    width = max(member.right for member in (*group, line)) - left
    return before.right - left >= _FULL_LINE * width


def paragraph_text(lines: Sequence[Line]) -> str:
    text = ""
    for line in lines:
        text = (
            text[:-1] + line.text if text.endswith("\ufffe") else join_lines([text, line.text] if text else [line.text])
        )
    return text.rstrip("\ufffe")


def heading_levels(pages: Sequence[Sequence[Line]]) -> dict[float, int]:
    """Font size of headings → level. The largest size has level 1."""
    characters: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        characters[round(line.size, 1)] += len(line.text)
    if not characters:
        return {}
    body = characters.most_common(1)[0][0]
    larger = sorted((size for size in characters if size >= _HEADING_SIZE * body), reverse=True)
    # A page with more sizes is a poster or a form, where sizes do not tell levels.
    return {size: level for level, size in enumerate(larger, 1)} if len(larger) <= 6 else {}


def heading_level(group: Sequence[Line], levels: dict[float, int]) -> int:
    """Level of a paragraph that is a heading, else 0."""
    text = paragraph_text(group)
    if len(text) > _MAX_HEADING_CHARS or sum(map(str.isalpha, text)) < 3 or text.endswith((".", ",", ";")):
        return 0
    return levels.get(round(group[0].size, 1), 0)


def drop_running_lines(pages: Sequence[list[Line]]) -> list[list[Line]]:
    """Drop heads and feet that repeat on most pages: they would interrupt sentences."""
    if len(pages) < 4:
        return list(pages)
    seen = Counter(
        key for index, page in enumerate(pages) for key in {key for line in page for key in _running_keys(line, index)}
    )
    repeated = {key for key, count in seen.items() if count > 0.5 * len(pages)}
    kept = [
        [line for line in page if repeated.isdisjoint(_running_keys(line, index))] for index, page in enumerate(pages)
    ]
    # Keep what repeats where there is no other text, such as a numbered label on each page.
    return kept if any(kept) else list(pages)


def _running_keys(line: Line, index: int) -> set[str]:
    """What `line` shares with the same head on other pages: its text, or its text without the page number."""
    if not line.marginal:
        return set()
    text = line.text
    counted = (
        f"{text[: number.start()]}#{int(number.group()) - index}{text[number.end() :]}"
        for number in _PAGE_NUMBER.finditer(text)
    )
    return {text, *counted}
