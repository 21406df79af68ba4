"""Lines of a PDF page. Their geometry shows where paragraphs end and which lines are headings."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aion_assets.core.parse.formats.notation import raised
from aion_assets.core.parse.formats.ocr import join_lines
from aion_assets.core.parse.formats.pdf_code import is_code
from aion_assets.core.parse.formats.pdf_marks import Strokes
from aion_assets.core.parse.formats.struck import kept_label

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

# A raised figure is smaller than its base and stands higher by a part of the base's size.
_RAISED_SIZE = 0.85
_RAISED_BY = 0.15
_SAME_LINE = 0.3  # of its height
_NO_BLANK = 0.05
_RAISED_AFTER = re.compile(r"[\w)\]]")
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
    is_code: bool = False

    @property
    def height(self) -> float:
        return max(self.top - self.bottom, 1.0)


def read_lines(textpage: Any, page_height: float, strokes: Strokes) -> tuple[list[Line], bool]:
    """Lines in the order of the page's content stream, which keeps columns apart. Hyphens at line ends are removed.

    Returns whether anything was struck out, too: it is not among the lines.
    """
    from pypdfium2 import raw as pdfium

    text = textpage.get_text_range()
    # pdfium counts UTF-16 units. Each such rare character would shift the geometry by one.
    exact = len(text) == textpage.count_chars()
    lines: list[Line] = []
    gone: list[tuple[int, str]] = []  # number of lines before it, text that was struck out
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
                spans = strokes.through(line.bottom, line.top) if exact else []
                kept, struck_out = _unstruck(textpage, text, (first, last), spans) if spans else (None, "")
                line.text = (
                    _with_raised(textpage, line.text, text, (first, last)) if exact and kept is None else line.text
                )
                if struck_out:
                    gone.append((len(lines), struck_out))
                    line.text = kept or ""
                if line.text:
                    lines.append(line)
            start += len(piece)
        start += 2
    _keep_labels(lines, gone)
    return (_joined(lines) if exact else lines), bool(gone)


def _joined(lines: Sequence[Line]) -> list[Line]:
    """The lines, with the pieces of one put together: pdfium begins a new one after a raised figure."""
    whole: list[Line] = []
    for line in lines:
        before = whole[-1] if whole else None
        if (
            before is not None
            and abs(line.bottom - before.bottom) < _SAME_LINE * before.height
            and abs(line.left - before.right) < before.height * _SAME_LINE * 2
            and not before.text.endswith("\ufffe")
        ):
            blank = "" if line.text[:1] in ".,;:)" or line.left - before.right < _NO_BLANK * before.height else " "
            before.text += blank + line.text
            before.right, before.tabular = line.right, before.tabular or line.tabular
        else:
            whole.append(line)
    return whole


def _unstruck(
    textpage: Any, text: str, place: tuple[int, int], spans: Sequence[tuple[float, float]]
) -> tuple[str | None, str]:
    """The characters of a place that no stroke crosses, None where all are whole, and the others."""
    kept: list[str] = []
    crossed: list[str] = []
    for index in range(place[0], place[1] + 1):
        left, _, right, _ = textpage.get_charbox(index, loose=True)
        middle = (left + right) / 2
        (crossed if any(begin <= middle <= end for begin, end in spans) else kept).append(text[index])
    struck_out = "".join(crossed).strip()
    return (" ".join("".join(kept).split()), struck_out) if struck_out else (None, "")


def _keep_labels(lines: list[Line], gone: Sequence[tuple[int, str]]) -> None:
    """Give a remark such as "(Revogado …)" the number of the clause that was struck out before it."""
    awaited = ""
    for number, text in gone:
        following = lines[number].text if number < len(lines) else ""
        awaited = kept_label(text, "(") or awaited
        if awaited and following.startswith(("(", "[")):
            lines[number].text = awaited + following
            awaited = ""
        elif following and not following.startswith(("(", "[")) and number + 1 < len(lines):
            awaited = ""


def _with_raised(textpage: Any, own: str, text: str, place: tuple[int, int]) -> str:
    """The line `own` with its raised figures as powers: 10⁶ is not 106."""
    from pypdfium2 import raw as pdfium

    x, y, base = ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    pieces: list[str] = []
    index, end = place
    while index <= end:
        sign = text[index]
        if pieces and (sign.isdigit() or sign in "-−–") and _RAISED_AFTER.search(text[index - 1]):
            size, before = (pdfium.FPDFText_GetFontSize(textpage, at) for at in (index, index - 1))
            pdfium.FPDFText_GetCharOrigin(textpage, index, x, y)
            pdfium.FPDFText_GetCharOrigin(textpage, index - 1, x, base)
            if size < _RAISED_SIZE * before and y.value - base.value > _RAISED_BY * before:
                stop = index + 1
                while stop <= end and text[stop].isalnum() and pdfium.FPDFText_GetFontSize(textpage, stop) <= size:
                    stop += 1
                pieces.append(raised("".join(pieces[-8:]), text[index:stop]))
                index = stop
                continue
        pieces.append(sign)
        index += 1
    return "".join(pieces) + ("\ufffe" if own.endswith("\ufffe") else "")


def _measure(textpage: Any, text: str, first: int, last: int, pdfium: Any) -> Line:
    left, bottom, _, top = textpage.get_charbox(first, loose=True)
    _, _, right, _ = textpage.get_charbox(last, loose=True)
    size = float(pdfium.FPDFText_GetFontSize(textpage, first))
    tabular = False
    for index in range(first + 1, last):
        if text[index - first] == " " and not tabular:
            gap = textpage.get_charbox(index + 1)[0] - textpage.get_charbox(index - 1)[2]
            tabular = gap > _CELL_GAP * max(top - bottom, 1.0)
    size, code = size if size > 2 else top - bottom, is_code(textpage, first, last)
    return Line(text.strip(), left, bottom, right, top, size, tabular, is_code=code)


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
    if line.is_code or before.is_code:
        return line.is_code and before.is_code
    if line.tabular or before.tabular or _ITEM.match(line.text):
        return False
    left = min(member.left for member in group)
    if len(group) > 1 and line.left - left > _INDENT * line.height:
        return False
    width = max(member.right for member in (*group, line)) - left
    return before.right - left >= _FULL_LINE * width


def paragraph_text(lines: Sequence[Line]) -> str:
    if all(line.is_code for line in lines):
        return "\n".join(line.text.rstrip("\ufffe") for line in lines)
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
    """Drop heads and feet that repeat on most pages: they would interrupt sentences.

    The first of those that hold more figures than a page number stays, as "NP-014, revisão 3" may stand nowhere else.
    """
    if len(pages) < 2:
        return list(pages)
    seen = Counter(
        key for index, page in enumerate(pages) for key in {key for line in page for key in _running_keys(line, index)}
    )
    repeated = {key for key, count in seen.items() if count > max(0.5 * len(pages), 1)}
    kept = [
        [line for line in page if repeated.isdisjoint(_running_keys(line, index))] for index, page in enumerate(pages)
    ]
    if not any(kept):
        return list(pages)  # what repeats is all there is, such as a numbered label on each page
    said = {
        line.text: line
        for page in reversed(pages)
        for line in reversed(page)
        if line.marginal and line.text in repeated and _tells(line.text)
    }
    kept[0] = [*(line for line in reversed(said.values())), *kept[0]]
    return kept


def _tells(text: str) -> bool:
    """Whether a running head says more than names and page numbers: it has letters and several figures."""
    return sum(map(str.isdigit, text)) > 1 and any(map(str.isalpha, text))


def join_over_pages(pages: Sequence[list[list[Line]]]) -> None:
    """Move the rest of a sentence from the top of a page to its beginning at the bottom of the page before."""
    for before, after in pairwise(pages):
        if not before or not after:
            continue
        rest = after[0]
        first = rest[0]
        group = next(
            (group for group in reversed(before) if abs(group[-1].size - first.size) <= 0.1 * first.size), None
        )
        if group is None or first.tabular or group[-1].tabular or first.is_code or _ITEM.match(first.text):
            continue
        end = group[-1].text.rstrip()
        if first.text[:1].islower() and (end[-1:].isalnum() or end[-1:] in ",-–\ufffe"):
            group += rest
            del after[0]


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
