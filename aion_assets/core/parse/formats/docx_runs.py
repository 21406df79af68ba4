"""The text of paragraphs and cells of a Word document, as a reader sees it.

Struck-out and hidden runs are left out; raised and lowered figures and formulas keep their meaning.
"""

from collections.abc import Callable, Iterator
from typing import Any

from lxml.etree import _Element

from aion_assets.core.parse.formats import notation, struck

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = {f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_UNREAD = frozenset((FALLBACK, f"{W}del", f"{W}moveFrom", f"{W}txbxContent", f"{W}pPr", f"{W}rPr"))
_OFF = ("0", "false", "off", "none")
_MAX_STYLE_DEPTH = 20
_MAX_FORMULA_DEPTH = 60


class RunReader:
    """Reads text with the looks that runs have by themselves and by their styles."""

    def __init__(self, document: Any) -> None:
        self.left_out = False  # whether anything struck out was met
        self._styles = {style.style_id: style.element for style in document.styles if hasattr(style, "style_id")}
        self._looks: dict[str, dict[str, str]] = {}

    def text(self, element: _Element) -> str:
        pieces: list[str] = []
        self._read(element, pieces, self._style_looks(_value(element.find(f"{W}pPr/{W}pStyle"))))
        return "".join(pieces)

    def _read(self, element: _Element, pieces: list[str], looks: dict[str, str]) -> None:
        for child in element:
            if child.tag == f"{W}r":
                self._run(child, pieces, looks)
            elif child.tag == f"{_M}oMath":
                pieces.append(_formula(child))
            elif child.tag in _BREAKS:
                pieces.append(_BREAKS[child.tag])
            elif child.tag == f"{W}p":
                self._read(child, pieces, self._style_looks(_value(child.find(f"{W}pPr/{W}pStyle"))))
                pieces.append("\n")
            elif child.tag not in _UNREAD:
                self._read(child, pieces, looks)
                if child.tag == f"{W}tc":
                    pieces.append("\n")

    def _run(self, run: _Element, pieces: list[str], paragraph: dict[str, str]) -> None:
        properties = run.find(f"{W}rPr")
        looks = paragraph
        if properties is not None:
            looks = paragraph | self._style_looks(_value(properties.find(f"{W}rStyle"))) | _looks_of(properties)
        text = "".join(_run_pieces(run)).replace(_STRUCK, "")
        if looks.get("vanish", "off") not in _OFF:
            return
        if looks.get("strike", "off") not in _OFF or looks.get("dstrike", "off") not in _OFF:
            if text.strip():
                self.left_out = True
                pieces.append(f"{_STRUCK}{text}{_STRUCK}")
            return
        before = "".join(pieces[-3:])
        if looks.get("vertAlign") == "superscript":
            text = notation.raised(before, text)
        elif looks.get("vertAlign") == "subscript":
            text = notation.lowered(before, text)
        pieces.append(text)

    def _style_looks(self, style_id: str) -> dict[str, str]:
        if style_id not in self._looks:
            looks: dict[str, str] = {}
            chain: list[_Element] = []
            style = self._styles.get(style_id)
            while style is not None and len(chain) < _MAX_STYLE_DEPTH:
                chain.append(style)
                style = self._styles.get(_value(style.find(f"{W}basedOn")))
            for style in reversed(chain):
                properties = style.find(f"{W}rPr")
                looks |= _looks_of(properties) if properties is not None else {}
            self._looks[style_id] = looks
        return self._looks[style_id]


_STRUCK = "\ue000"  # of the private use area, which a draft turns into blanks


def without_struck(text: str) -> str:
    """`text` of a RunReader without what was struck out in it. The number of a clause stays where a remark follows."""
    if _STRUCK not in text:
        return text
    kept: list[str] = []
    parts = text.replace(_STRUCK * 2, "").split(_STRUCK)
    for place, part in enumerate(parts):
        if place % 2 == 0:
            kept.append(part)
        elif "".join(kept).strip() == "":
            kept.append(struck.kept_label(part, parts[place + 1] if place + 1 < len(parts) else ""))
    return "".join(kept)


def _looks_of(properties: _Element) -> dict[str, str]:
    found = {}
    for name in ("strike", "dstrike", "vertAlign", "vanish"):
        element = properties.find(f"{W}{name}")
        if element is not None:
            found[name] = element.get(f"{W}val", "on")
    position = _value(properties.find(f"{W}position"))  # half points; LibreOffice raises so
    if position.lstrip("-").isdigit() and int(position) and "vertAlign" not in found:
        found["vertAlign"] = "subscript" if int(position) < 0 else "superscript"
    return found


def _run_pieces(run: _Element) -> Iterator[str]:
    for child in run:
        if child.tag == f"{W}t":
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag == f"{W}sym":
            yield _symbol(child)
        elif child.tag == f"{W}ffData":
            yield _filled_in(child)
        elif child.tag not in _UNREAD:
            yield from _run_pieces(child)


def _filled_in(field: _Element) -> str:
    """What is chosen in a list or a box of an older form. What is written in a field stands in the runs after it."""
    chosen = field.find(f"{W}ddList")
    if chosen is not None:
        entries = [_value(entry) for entry in chosen.iterchildren(f"{W}listEntry")]
        place = _value(chosen.find(f"{W}result")) or _value(chosen.find(f"{W}default")) or "0"
        return entries[int(place)] if place.isdigit() and int(place) < len(entries) else ""
    box = field.find(f"{W}checkBox")
    if box is None:
        return ""
    mark = box.find(f"{W}checked")
    mark = mark if mark is not None else box.find(f"{W}default")
    return "☐ " if mark is None or mark.get(f"{W}val", "on") in _OFF else "☒ "


def _symbol(element: _Element) -> str:
    """A character by its number. Those of symbol fonts lie in the private use area and mean nothing outside of them."""
    code = element.get(f"{W}char", "")
    try:
        return chr(int(code, 16))
    except (ValueError, OverflowError):
        return ""


def _value(element: _Element | None) -> str:
    return element.get(f"{W}val", "") if element is not None else ""


def _formula(element: _Element, depth: int = 0) -> str:
    """A formula in one line: `x = (a + b)/c`."""
    if depth > _MAX_FORMULA_DEPTH:
        return "".join(element.itertext())
    name = element.tag.removeprefix(_M) if isinstance(element.tag, str) else ""
    if name == "t" or element.tag == f"{W}t":
        return element.text or ""
    if name.endswith("Pr") or element.tag == f"{W}rPr":
        return ""
    if write := _FORMS.get(name):

        def part(wanted: str) -> str:
            found = element.find(f"{_M}{wanted}")
            return _formula(found, depth + 1).strip() if found is not None else ""

        return write(part)
    if name == "d":
        opening, closing = (_bracket(element, end) for end in ("beg", "end"))
        inside = ", ".join(_formula(item, depth + 1) for item in element.iterchildren(f"{_M}e"))
        return f"{opening}{inside}{closing}"
    return "".join(_formula(child, depth + 1) for child in element)


def _bracket(element: _Element, end: str) -> str:
    found = element.find(f"{_M}dPr/{_M}{end}Chr")
    return found.get(f"{_M}val", "") if found is not None else {"beg": "(", "end": ")"}[end]


_Part = Callable[[str], str]
_FORMS: dict[str, Callable[[_Part], str]] = {
    "sSup": lambda part: f"{notation.grouped(part('e'))}{notation.power(part('sup'))}",
    "sSub": lambda part: f"{part('e')}_{notation.grouped(part('sub'))}",
    "sSubSup": lambda part: f"{part('e')}_{notation.grouped(part('sub'))}{notation.power(part('sup'))}",
    "f": lambda part: notation.fraction(part("num"), part("den")),
    "rad": lambda part: f"√{'[' + part('deg') + ']' if part('deg') else ''}{notation.grouped(part('e'))}",
    "nary": lambda part: f"Σ_{notation.grouped(part('sub'))}{notation.power(part('sup'))} {part('e')}",
    "limLow": lambda part: f"{part('e')}_{notation.grouped(part('lim'))}",
}
