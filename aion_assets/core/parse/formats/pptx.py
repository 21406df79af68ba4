"""Presentations: each slide is a page with its title as heading and its notes at the end."""

import io
from collections.abc import Iterator
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats import struck
from aion_assets.core.parse.formats.archive import check_unpacked_size
from aion_assets.core.parse.formats.docx_parts import (
    DIAGRAM,
    DIAGRAM_DATA,
    chart_lines,
    diagram_lines,
    load,
    related_part,
)
from aion_assets.core.parse.formats.notation import lowered, raised
from aion_assets.core.parse.formats.table import write_table
from aion_assets.core.records import QuarantineReason

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def parse(raw: RawFile, draft: Draft) -> None:
    from pptx import Presentation
    from pptx.exc import PackageNotFoundError

    check_unpacked_size(raw.body)
    draft.parser = "pptx"
    try:
        presentation = Presentation(io.BytesIO(raw.body))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        raise ParseError(QuarantineReason.BROKEN, f"The presentation is damaged: {error}.") from error
    draft.title = presentation.core_properties.title or ""
    for number, slide in enumerate(presentation.slides, 1):
        draft.page(number)
        title = slide.shapes.title
        if title is not None:
            draft.heading(1, " ".join(_text(paragraph, draft) for paragraph in title.text_frame.paragraphs))
        for shape in _reading_order(slide.shapes):
            if title is None or shape.shape_id != title.shape_id:
                _write_shape(shape, draft)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            draft.paragraph(slide.notes_slide.notes_text_frame.text)


def _reading_order(shapes: Any) -> Iterator[Any]:
    """Shapes from top to bottom and left to right, groups expanded in place. Those without a position come first."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes"):
            yield from _reading_order(shape.shapes)
        else:
            yield shape


def _write_shape(shape: Any, draft: Draft) -> None:
    if shape.has_text_frame:
        draft.paragraph("\n".join(_text(paragraph, draft) for paragraph in shape.text_frame.paragraphs))
    elif getattr(shape, "has_table", False):
        _write_table(shape.table, draft)
    elif getattr(shape, "has_chart", False):
        draft.paragraph("\n".join(filter(None, chart_lines(load(shape.chart_part.blob)))))
    else:
        for diagram in shape.element.iter(DIAGRAM):
            part = related_part(shape.part, diagram, DIAGRAM_DATA)
            if part is None:
                draft.note("a chart or diagram is missing in the file")
            else:
                draft.paragraph("\n".join(filter(None, diagram_lines(load(part.blob)))))


def _write_table(table: Any, draft: Draft) -> None:
    """A merged cell stands in every row and column that it covers."""
    texts: dict[tuple[int, int], str] = {}
    rows = []
    for number, row in enumerate(table.rows):
        for column, cell in enumerate(row.cells):
            if cell.is_spanned and (number, column) in texts:
                continue
            text = one_line("\n".join(_text(paragraph, draft) for paragraph in cell.text_frame.paragraphs))
            down, across = (cell.span_height, cell.span_width) if cell.is_merge_origin else (1, 1)
            texts.update({(number + y, column + x): text for y in range(down) for x in range(across)})
        cells = [texts.get((number, column), "") for column in range(len(row.cells))]
        rows.append(cells[:1] if len(set(cells)) == 1 else cells)
    write_table([row for row in rows if any(row)], draft)


def _text(paragraph: Any, draft: Draft) -> str:
    """The text of a paragraph without what is struck out, raised figures as powers."""
    pieces: list[str] = []
    for element in paragraph._p:
        if element.tag == f"{_A}br":
            pieces.append("\n")
            continue
        text = "".join(part.text or "" for part in element.iterchildren(f"{_A}t"))
        looks = element.find(f"{_A}rPr")
        if looks is not None and looks.get("strike", "noStrike") != "noStrike" and text.strip():
            draft.note(struck.REMARK)
            continue
        raise_by = int(looks.get("baseline", "0").rstrip("%") or 0) if looks is not None else 0
        before = "".join(pieces[-3:])
        pieces.append(raised(before, text) if raise_by > 0 else lowered(before, text) if raise_by < 0 else text)
    return "".join(pieces)
