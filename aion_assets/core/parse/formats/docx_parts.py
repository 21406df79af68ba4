"""What a Word document shows from other parts of its package: imported files, page heads, charts, diagrams."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from lxml.etree import _Element

from aion_assets.core.parse.draft import one_line

_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
DIAGRAM = f"{_DGM}relIds"
DIAGRAM_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_MAX_CHART_POINTS = 2_000
_PAGE_NUMBER = re.compile(
    r"[|\s–-]*\b(?:p[áa]g(?:ina)?s?|page|folha|fls?)\b[.:\s]*\d*(?:\s*(?:/|de|of)\s*\d*)?[|\s]*$"
    r"|^[\W\d]*(?:(?:de|of)[\W\d]*)?$",
    re.IGNORECASE,
)


def related_part(part: Any, element: _Element, attribute: str = _R_ID) -> Any:
    """The part that `element` names by its r:id, or None: it may be missing, or lie outside of the package."""
    name = element.get(attribute, "")
    relation = part.rels[name] if name in part.rels else None  # noqa: SIM401 - those of presentations have no get()
    return None if relation is None or relation.is_external else relation.target_part


def load(blob: bytes) -> _Element:
    return etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))


def without_page_number(line: str) -> str:
    """A line of a page's head or foot without "Página 2 de 9". Fields that Word computes may hold no number."""
    return _PAGE_NUMBER.sub("", line).strip()


def chart_lines(root: _Element) -> Iterator[str]:
    """A chart: its titles, and for each series a line of "category: value"."""
    for title in root.iter(f"{_C}title"):
        yield one_line("".join(text.text or "" for text in title.iter(f"{_A}t")))
    left = _MAX_CHART_POINTS
    for series in root.iter(f"{_C}ser"):
        name = " ".join(value for _, value in _points(series.find(f"{_C}tx")))
        categories = dict(_points(_first(series, "cat", "xVal")))
        points = list(_points(_first(series, "val", "yVal")))[:left]
        left -= len(points)
        told = "; ".join(f"{categories[place]}: {value}" if place in categories else value for place, value in points)
        yield ": ".join(filter(None, (name, told)))


def _first(series: _Element, *names: str) -> _Element | None:
    return next((found for name in names if (found := series.find(f"{_C}{name}")) is not None), None)


def _points(element: _Element | None) -> Iterator[tuple[str, str]]:
    """(index, value) of the values that the program stored beside the reference to its table."""
    for point in element.iter(f"{_C}pt") if element is not None else ():
        value = point.find(f"{_C}v")
        if value is not None and value.text:
            yield point.get("idx", ""), one_line(value.text)


def diagram_lines(root: _Element) -> Iterator[str]:
    """The texts of a SmartArt diagram, in the order in which they were written."""
    for point in root.iter(f"{_DGM}pt"):
        for paragraph in point.iter(f"{_A}p"):
            yield one_line("".join(text.text or "" for text in paragraph.iter(f"{_A}t")))
