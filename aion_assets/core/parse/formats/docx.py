"""Word documents: paragraphs, headings, lists and tables in the order of the body.

python-docx opens the package and knows the styles. The text is read from the XML, because `Paragraph.text` leaves out
inserted revisions, content controls and text boxes.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from lxml.etree import _Element

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats.archive import check_unpacked_size, is_strict
from aion_assets.core.parse.formats.docx_numbering import Numbering
from aion_assets.core.records import QuarantineReason

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_UNREAD = frozenset((_FALLBACK, f"{_W}del", f"{_W}moveFrom", f"{_W}txbxContent", f"{_W}pPr", f"{_W}rPr"))
_WRAPPERS = frozenset(f"{_W}{name}" for name in ("sdt", "sdtContent", "ins", "customXml", "smartTag"))
_MAX_HEADING_CHARS = 300  # a longer paragraph in a heading's style is a paragraph
_HEADING_STYLE = re.compile(r"heading (\d)", re.IGNORECASE)


def parse(raw: RawFile, draft: Draft) -> None:
    import docx
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.exceptions import PackageNotFoundError

    check_unpacked_size(raw.body)
    draft.parser = "docx"
    try:
        document: Any = docx.Document(io.BytesIO(raw.body))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        if is_strict(raw.body):
            raise ParseError(
                QuarantineReason.UNSUPPORTED, "The file is a Strict Open XML document.", "Save it as a Word document."
            ) from error
        raise ParseError(QuarantineReason.BROKEN, f"The docx package is damaged: {error}.") from error
    if any(relation.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for relation in document.part.package.rels.values()):
        _read_properties(document.core_properties, draft)  # python-docx invents missing ones
    levels = {style.style_id: _style_level(style) for style in document.styles if hasattr(style, "style_id")}
    _Writer(levels, Numbering(document), draft).write(document.element.body)
    for notes in _note_parts(document):
        for note in notes.iterchildren(f"{_W}footnote", f"{_W}endnote"):
            draft.paragraph(_text(note))


def _read_properties(properties: Any, draft: Draft) -> None:
    draft.title = properties.title or ""
    draft.lang = properties.language or ""
    if properties.created is not None:
        draft.published = properties.created.date().isoformat()


def _style_level(style: Any) -> int:
    """Heading level of a paragraph style, 0 for body text. A user's style inherits it."""
    while style is not None:
        if style.name in ("Title", "Subtitle"):
            return 1
        if found := _HEADING_STYLE.fullmatch(style.name or ""):
            return int(found.group(1))
        outline = style.element.find(f"{_W}pPr/{_W}outlineLvl")
        if outline is not None and int(outline.get(f"{_W}val")) < 9:
            return int(outline.get(f"{_W}val")) + 1
        style = getattr(style, "base_style", None)
    return 0


class _Writer:
    """Writes the elements of a body, cell or box into a draft."""

    def __init__(self, levels: dict[str, int], numbering: Numbering, draft: Draft) -> None:
        self._levels = levels
        self._numbering = numbering
        self._draft = draft

    def write(self, container: _Element) -> None:
        for element in container:
            if element.tag == f"{_W}p":
                self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                self._table(element)
            elif element.tag in _WRAPPERS:
                self.write(element)

    def _paragraph(self, paragraph: _Element) -> None:
        text = _text(paragraph)
        if text.strip() and (label := self._numbering.label(paragraph)):
            text = f"{label} {text.lstrip()}"
        level = self._level(paragraph)
        if level and len(text) <= _MAX_HEADING_CHARS:
            self._draft.heading(level, text.removeprefix("- "))
        else:
            self._draft.paragraph(text)
        for box in paragraph.iter(f"{_W}txbxContent"):
            if next(box.iterancestors(_FALLBACK), None) is None:  # a second copy of the box, for old programs
                self.write(box)

    def _level(self, paragraph: _Element) -> int:
        outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        if outline is not None and int(outline.get(f"{_W}val")) < 9:
            return int(outline.get(f"{_W}val")) + 1
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        return self._levels.get(style.get(f"{_W}val"), 0) if style is not None else 0

    def _table(self, table: _Element) -> None:
        """Write a row as a line. A table of one cell is a frame around text and is read as text."""
        rows = [[cell for cell in row.iter(f"{_W}tc") if _owner(cell) is row] for row in table.iterchildren(f"{_W}tr")]
        if len(rows) == 1 and len(rows[0]) == 1:
            self.write(rows[0][0])
            return
        lines = ([one_line(_text(cell)) for cell in row] for row in rows)
        self._draft.paragraph("\n".join(" | ".join(line) for line in lines if any(line)))


def _owner(cell: _Element) -> _Element:
    """The row of a cell, looked up through content controls around it."""
    return next(cell.iterancestors(f"{_W}tr"))


def _text(element: _Element) -> str:
    return "".join(_pieces(element))


def _pieces(element: _Element) -> Iterator[str]:
    for child in element:
        if child.tag in (f"{_W}t", _MATH_TEXT):
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag not in _UNREAD:
            yield from _pieces(child)
            if child.tag in (f"{_W}p", f"{_W}tc"):
                yield "\n"


def _note_parts(document: Any) -> Iterator[_Element]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for relation in document.part.rels.values():
        if relation.reltype.endswith(("/footnotes", "/endnotes")):
            yield etree.fromstring(relation.target_part.blob, parser)
