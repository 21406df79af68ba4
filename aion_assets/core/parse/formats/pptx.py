"""Presentations: each slide is a page with its title as heading and its notes at the end."""

import io
from collections.abc import Iterator
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats.archive import check_unpacked_size
from aion_assets.core.records import QuarantineReason


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
            draft.heading(1, title.text_frame.text)
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
        draft.paragraph("\n".join(paragraph.text for paragraph in shape.text_frame.paragraphs))
    elif getattr(shape, "has_table", False):
        rows = ([one_line(cell.text) for cell in row.cells] for row in shape.table.rows)
        draft.paragraph("\n".join(" | ".join(row) for row in rows if any(row)))
