"""What openpyxl's reader of large sheets does not tell: merged ranges, and formulas whose result was not stored."""

import re
from dataclasses import dataclass, field
from typing import Any

from openpyxl.utils.cell import range_boundaries

_PART_BYTES = 1 << 20
_OVERLAP = 400  # longer than any element that is looked for
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
# A formula without a stored result: no <v>, or an empty one, before the cell ends.
_UNSAVED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^<>]*)?/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_MAX_RANGES = 20_000
_MAX_WIDTH = 60  # columns of one range; a title may be merged over all 16 384
_MAX_COPIED_CHARS = 300


@dataclass(slots=True)
class _Range:
    left: int
    top: int
    right: int
    bottom: int


@dataclass(slots=True)
class SheetFacts:
    has_unsaved_results: bool = False
    _starting: dict[int, list[_Range]] = field(default_factory=dict)  # row → ranges that begin there
    _open: list[tuple[_Range, str]] = field(default_factory=list)  # ranges that reach further down, with their text

    def is_wide(self, row: int) -> bool:
        """Whether a cell of `row` covers several columns, but not all there is in the row."""
        ranges = self._starting.get(row, [])
        return any(item.right > item.left and item.bottom == item.top for item in ranges)

    def spread(self, row: int, texts: list[str]) -> None:
        """Fill the cells of `row` that merged ranges cover. Call it for one row after the other."""
        alone = sum(map(bool, texts)) <= 1 and not self._open  # a title over the whole table is said once
        self._open = [(item, text) for item, text in self._open if item.bottom >= row]
        for item in self._starting.get(row, ()):
            text = texts[item.left - 1] if item.left <= len(texts) else ""
            if not text or len(text) > _MAX_COPIED_CHARS:
                continue
            if item.right > item.left and not alone:
                _fill(texts, item, text)
            if item.bottom > row and not (alone and item.right > item.left):
                self._open.append((item, text))
        for item, text in self._open:
            if item.top < row:
                _fill(texts, item, text)


def _fill(texts: list[str], item: _Range, text: str) -> None:
    right = min(item.right, item.left + _MAX_WIDTH)
    texts.extend([""] * (right - len(texts)))
    for column in range(item.left, right + 1):
        texts[column - 1] = texts[column - 1] or text


def read_facts(sheet: Any) -> SheetFacts:
    """Read the sheet's XML once, piece by piece."""
    facts = SheetFacts()
    count = 0
    with sheet._get_source() as source:
        rest = b""
        while part := source.read(_PART_BYTES):
            text = rest + part
            facts.has_unsaved_results = facts.has_unsaved_results or _UNSAVED.search(text) is not None
            for found in _MERGED.finditer(text):
                if found.end() > len(rest) and count < _MAX_RANGES:
                    left, top, right, bottom = range_boundaries(found.group(1).decode())
                    facts._starting.setdefault(top, []).append(_Range(left, top, right, bottom))
                    count += 1
            rest = text[-_OVERLAP:]
    return facts
