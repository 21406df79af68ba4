"""A chapter as a Word document."""

import io
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

from docx import Document
from docx.shared import Pt

from manual_formats.blocks import Chapter, Heading, ItemList, Listing, Paragraph, Spans, Table

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

_LANG = {"pt": "pt-BR", "en": "en"}
# Any fixed moment; a document that carries the time of its making differs on every run.
_EPOCH = datetime(2000, 1, 1)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_CODE_FONT = "Courier New"


def render_docx(chapter: Chapter) -> bytes:
    document = Document()
    for block in chapter.blocks:
        match block:
            case Heading(level, text):
                document.add_heading(text, level)
            case Paragraph(spans):
                _add_spans(document.add_paragraph(), spans)
            case ItemList(ordered, items):
                # Numbers are typed, because Word's own would run on from one list into the next.
                for number, item in enumerate(items, 1):
                    paragraph = document.add_paragraph(style="List Paragraph" if ordered else "List Bullet")
                    if ordered:
                        paragraph.add_run(f"{number}. ")
                    _add_spans(paragraph, item)
            case Listing(text):
                _code(document.add_paragraph(), text)
            case Table(rows):
                _add_table(document, rows)
    properties = document.core_properties
    properties.title, properties.author, properties.language = chapter.title, "AION", _LANG[chapter.lang]
    properties.comments = ""
    properties.created = properties.modified = _EPOCH
    properties.last_modified_by, properties.revision = "AION", 1
    return _without_times(document)


def _add_table(document: "WordDocument", rows: tuple[tuple[Spans, ...], ...]) -> None:
    table = document.add_table(len(rows), len(rows[0]), style="Table Grid")
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, spans in zip(row.cells, cells, strict=True):
            _add_spans(cell.paragraphs[0], spans)
    for cell in table.rows[0].cells:
        for run in cell.paragraphs[0].runs:
            run.bold = True


def _add_spans(paragraph: "WordParagraph", spans: Spans) -> None:
    for span in spans:
        if span.code:
            _code(paragraph, span.text)
        else:
            paragraph.add_run(span.text).bold = span.strong or None


def _code(paragraph: "WordParagraph", text: str) -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = _CODE_FONT, Pt(9.5)


def _without_times(document: "WordDocument") -> bytes:
    """The file, with the time stamps of its zip members fixed."""
    written, fixed = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, _ZIP_EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, source.read(name))
    return fixed.getvalue()
