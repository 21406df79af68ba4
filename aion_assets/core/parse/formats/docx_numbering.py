"""The numbers that Word shows before paragraphs: "Art. 1º", "2.1", "a)". Files do not store them as text."""

from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_MAX_LEVELS = 9


@dataclass(slots=True)
class _Level:
    form: str
    pattern: str  # "%1.%2)": the numbers of the first and the second level
    start: int


class Numbering:
    """Counts while the paragraphs of one document are read in order."""

    def __init__(self, document: Any) -> None:
        self._levels: dict[str, list[_Level]] = {}  # of each abstract list
        self._lists: dict[str, tuple[str, dict[int, int]]] = {}  # list → its abstract list, starts of its own
        self._counts: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()
        self._styles = {style.style_id: style.element for style in document.styles if hasattr(style, "style_id")}
        root = next(
            (rel.target_part for rel in document.part.rels.values() if rel.reltype.endswith("/numbering")), None
        )
        if root is not None:
            self._read(root.element)

    def label(self, paragraph: _Element) -> str:
        """The label of `paragraph`: its number, "-" for a bullet, "" outside a list."""
        place = self._place(paragraph)
        if place is None or place[0] not in self._lists:
            return ""
        list_id, depth = place
        abstract, starts = self._lists[list_id]
        levels = self._levels.get(abstract, [])
        if depth >= len(levels):
            return ""
        counts = self._counts.setdefault(abstract, [None] * _MAX_LEVELS)
        if list_id not in self._begun:  # a list with starts of its own restarts
            self._begun.add(list_id)
            for level in starts:
                counts[level] = None
        before = counts[depth]
        counts[depth] = starts.get(depth, levels[depth].start) if before is None else before + 1
        counts[depth + 1 :] = [None] * (_MAX_LEVELS - depth - 1)
        if levels[depth].form == "bullet":
            return "-"
        label = levels[depth].pattern
        for position, outer in enumerate(levels):
            count = counts[position]
            label = label.replace(f"%{position + 1}", _write(outer.start if count is None else count, outer.form))
        return label.strip()

    def _place(self, paragraph: _Element) -> tuple[str, int] | None:
        """(list, depth from 0), set by the paragraph itself, its style, or a style that this one is based on."""
        properties = paragraph.find(f"{_W}pPr")
        seen: set[str] = set()
        while properties is not None:
            numbers = properties.find(f"{_W}numPr")
            if numbers is not None and (list_id := _value(numbers, "numId")):
                return list_id, min(int(_value(numbers, "ilvl") or 0), _MAX_LEVELS - 1)
            style_id = _value(properties, "pStyle") if not seen else ""
            parent = properties.getparent()
            if not style_id and seen and parent is not None:
                style_id = _value(parent, "basedOn")
            style = self._styles.get(style_id)
            if style is None or style_id in seen:
                return None
            seen.add(style_id)
            properties = style.find(f"{_W}pPr")
        return None

    def _read(self, root: _Element) -> None:
        for abstract in root.iterchildren(f"{_W}abstractNum"):
            levels = [
                _Level(
                    _value(level, "numFmt") or "decimal",
                    _value(level, "lvlText"),
                    int(_value(level, "start") or 1),
                )
                for level in abstract.iterchildren(f"{_W}lvl")
            ]
            self._levels[abstract.get(f"{_W}abstractNumId", "")] = levels[:_MAX_LEVELS]
        for entry in root.iterchildren(f"{_W}num"):
            starts = {
                int(override.get(f"{_W}ilvl", "0")): int(start)
                for override in entry.iterchildren(f"{_W}lvlOverride")
                if (start := _value(override, "startOverride"))
            }
            self._lists[entry.get(f"{_W}numId", "")] = (_value(entry, "abstractNumId"), starts)


def _value(element: _Element, child: str) -> str:
    found = element.find(f"{_W}{child}")
    return found.get(f"{_W}val", "") if found is not None else ""


def _write(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if form == "lowerLetter" else letter.upper()
    if form in ("lowerRoman", "upperRoman"):
        roman = ""
        for value, sign in _ROMAN:
            roman += sign * (number // value)
            number %= value
        return roman.lower() if form == "lowerRoman" else roman
    if form == "ordinal":
        return f"{number}º"
    if form == "decimalZero":
        return f"{number:02d}"
    return "" if form == "none" else str(number)
