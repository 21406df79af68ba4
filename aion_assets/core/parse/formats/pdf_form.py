"""Puts what was filled into a PDF form beside its labels, in reading order."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aion_assets.core.parse.draft import one_line
from aion_assets.core.parse.formats.pdf_layout import Line
from aion_assets.core.parse.formats.pdf_marks import Filled

_MAX_LABEL_GAP = 1.2  # heights of a line between a field and the label above it
_MAX_DISTANCE = 40.0  # heights of a line between a label and its field


def with_filled(lines: Sequence[Line], filled: Sequence[Filled], textpage: Any) -> list[Line]:
    """The lines of a page, each value and each ticked box at its place in the line of its label.

    A field on the height of no line belongs to the words right above it, or else stands by itself under its own name.
    """
    written = list(lines)
    in_line: defaultdict[int, list[Filled]] = defaultdict(list)
    apart = []
    for item in sorted(filled, key=lambda item: (-item.top, item.left)):
        place = _line_of(item, written)
        if place is None:
            apart.append(item)
        else:
            in_line[place].append(item)
    for place, items in in_line.items():
        _fill_line(written[place], items, textpage)
    for item in apart:
        _add_line(item, written, lines, textpage)
    return written


def _line_of(item: Filled, lines: Sequence[Line]) -> int | None:
    """The nearest line on the height of the field's upper line."""
    distances = [
        (max(line.left - item.right, item.left - line.right, 0.0), place)
        for place, line in enumerate(lines)
        if _shares_height(item, line)
    ]
    if not distances:
        return None
    # Words to the left are a text field's label, although others may stand closer to its right.
    before = [(far, place) for far, place in distances if lines[place].left < item.left] if not item.is_box else []
    far, place = min(before or distances)
    return place if far <= _MAX_DISTANCE * lines[place].height else None


def _fill_line(line: Line, items: Sequence[Filled], textpage: Any) -> None:
    """Write the line anew: its words from field to field, and what was filled in between them."""
    pieces = []
    begin = line.left - 1
    inside = sorted(items, key=lambda item: item.left)
    if all(item.left >= line.right - line.height for item in inside):
        pieces.append(line.text)  # as it was read, with its powers
        begin = line.right
    for item in inside:
        pieces += [_words(textpage, line, begin, item.left), _written(item)]
        begin = max(begin, item.left)
    pieces.append(_words(textpage, line, begin, line.right + 1))
    line.text = " ".join(filter(None, pieces))
    line.tabular = True  # a line of its own, never joined to the next


def _words(textpage: Any, line: Line, left: float, right: float) -> str:
    if right - left < 1:
        return ""
    middle = (line.bottom + line.top) / 2
    text: str = textpage.get_text_bounded(left=left, bottom=middle - 1, right=right, top=middle + 1)
    return one_line(text)


def _written(item: Filled) -> str:
    return ("[x]" if item.text else "[ ]") if item.is_box else item.text


def _add_line(item: Filled, written: list[Line], lines: Sequence[Line], textpage: Any) -> None:
    if item.is_box and not item.text:
        return
    above = [
        line
        for line in lines
        if -line.height / 2 <= line.bottom - item.top <= _MAX_LABEL_GAP * line.height
        and line.left < item.right
        and line.right > item.left
    ]
    nearest = min(above, key=lambda line: line.bottom - item.top, default=None)
    label = _words(textpage, nearest, item.left - nearest.height, item.right) if nearest is not None else ""
    label = (label or item.name).rstrip(": ")
    text = f"{label}: {_written(item)}" if label else _written(item)
    size = lines[0].size if lines else 10.0
    line = Line(text, item.left, item.bottom, item.right, item.top, size, tabular=True)
    if nearest is not None and label == nearest.text.rstrip(": "):
        nearest.text, nearest.tabular = text, True
        return
    place = next((n for n, other in enumerate(written) if other.top < item.bottom), len(written))
    written.insert(place, line)


def _shares_height(item: Filled, line: Line) -> bool:
    """Whether the middle of `line` lies in the field's upper part: a field may have several lines."""
    middle = (line.bottom + line.top) / 2
    return max(item.bottom, item.top - 2 * line.height) - line.height / 4 <= middle <= item.top + line.height / 4
