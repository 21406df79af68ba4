"""What a PDF page shows beside its text: strokes through words, and what was filled into its form."""

import ctypes
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from aion_assets.core.parse.draft import one_line

_MAX_OBJECTS = 20_000
_MAX_ANNOTATIONS = 5_000
_MAX_STROKE_POINTS = 3.0  # thickness
_MIN_STROKE_POINTS = 3.0  # length
# Part of a line's height, from its lower end, where a stroke strikes out. Underlines and frames lie outside of it.
_MIDDLE = (0.3, 0.68)


@dataclass(slots=True)
class Strokes:
    """Horizontal strokes of a page, in points from the lower left, sorted by height."""

    _heights: list[float] = field(default_factory=list)
    _spans: list[tuple[float, float]] = field(default_factory=list)

    def through(self, bottom: float, top: float) -> list[tuple[float, float]]:
        """(left, right) of the strokes through the middle of a line of text."""
        height = top - bottom
        first = bisect_left(self._heights, bottom + _MIDDLE[0] * height)
        last = bisect_right(self._heights, bottom + _MIDDLE[1] * height)
        return self._spans[first:last]


def read_strokes(page: Any) -> Strokes:
    found = sorted((*_drawn_strokes(page), *_annotated_strokes(page)))
    return Strokes([height for height, _ in found], [span for _, span in found])


def _drawn_strokes(page: Any) -> Iterator[tuple[float, tuple[float, float]]]:
    from pypdfium2 import PdfiumError
    from pypdfium2 import raw as pdfium

    drawn = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=2)
    for thing in islice(drawn, _MAX_OBJECTS):
        try:
            left, bottom, right, top = thing.get_bounds()
        except PdfiumError:
            continue
        if top - bottom <= _MAX_STROKE_POINTS and right - left >= _MIN_STROKE_POINTS:
            yield (bottom + top) / 2, (left, right)


def _annotated_strokes(page: Any) -> Iterator[tuple[float, tuple[float, float]]]:
    from pypdfium2 import raw as pdfium

    quad = pdfium.FS_QUADPOINTSF()
    for annotation in _annotations(page):
        if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_STRIKEOUT:
            continue
        for index in range(min(pdfium.FPDFAnnot_CountAttachmentPoints(annotation), _MAX_ANNOTATIONS)):
            if pdfium.FPDFAnnot_GetAttachmentPoints(annotation, index, quad):
                across, up = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
                yield (min(up) + max(up)) / 2, (min(across), max(across))


def _annotations(page: Any) -> Iterator[Any]:
    from pypdfium2 import raw as pdfium

    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if annotation:
            try:
                yield annotation
            finally:
                pdfium.FPDFPage_CloseAnnot(annotation)


@dataclass(slots=True)
class Filled:
    """What was filled in: its text, or whether a box is ticked. The box is in points from the lower left."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    name: str = ""
    is_box: bool = False


def read_filled(page: Any, form: Any) -> list[Filled]:
    """The fields of a form with their values, and texts that were typed onto the page. `form`: the form's handle."""
    from pypdfium2 import raw as pdfium

    found = []
    rectangle = pdfium.FS_RECTF()
    for annotation in _annotations(page):
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        hidden = pdfium.FPDFAnnot_GetFlags(annotation) & (pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW)
        if hidden or not pdfium.FPDFAnnot_GetRect(annotation, rectangle):
            continue
        box = (rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
        if kind == pdfium.FPDF_ANNOT_FREETEXT:
            text = _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
            found.append(Filled(text, *box))
        elif kind == pdfium.FPDF_ANNOT_WIDGET and form is not None:
            found.append(_field(annotation, form, box))
    return [item for item in found if item.text or item.is_box]


def _field(annotation: Any, form: Any, box: tuple[float, float, float, float]) -> Filled:
    from pypdfium2 import raw as pdfium

    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    name = _string(pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
    name = name or _string(pdfium.FPDFAnnot_GetFormFieldName, form, annotation)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return Filled("x" if pdfium.FPDFAnnot_IsChecked(form, annotation) else "", *box, name=name, is_box=True)
    if kind not in (pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        return Filled("", *box)
    value = _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
    if kind != pdfium.FPDF_FORMFIELD_TEXTFIELD:
        value = _chosen(annotation, form) or value
    return Filled(value, *box, name=name)


def _chosen(annotation: Any, form: Any) -> str:
    """The labels of the chosen options: their values may be codes."""
    from pypdfium2 import raw as pdfium

    count = min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), _MAX_ANNOTATIONS)
    chosen = (index for index in range(count) if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, index))
    return ", ".join(_string(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, index) for index in chosen)


def _string(read: Any, *arguments: Any) -> str:
    """A text that pdfium writes into a buffer as UTF-16 with a zero at its end."""
    from pypdfium2 import raw as pdfium

    size = read(*arguments, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(*arguments, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return one_line(re.sub(r"[\r\n]+", " ", buffer.raw[: size - 2].decode("utf-16-le", "replace")))
