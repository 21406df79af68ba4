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
from aion_assets.core.parse.formats import docx_imports, docx_parts, struck
from aion_assets.core.parse.formats.archive import check_unpacked_size, is_strict
from aion_assets.core.parse.formats.docx_numbering import Numbering
from aion_assets.core.parse.formats.docx_runs import FALLBACK, RunReader, W, without_struck
from aion_assets.core.parse.formats.docx_tables import table_cells, table_texts
from aion_assets.core.parse.formats.table import write_table
from aion_assets.core.parse.titles import names_document
from aion_assets.core.records import QuarantineReason

_WRAPPERS = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "customXml", "smartTag"))
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
# Waterfalls, funnels, maps: kinds of charts that came later, in a form of their own.
_NEW_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart"
_OBJECT = "{urn:schemas-microsoft-com:office:office}OLEObject"
_MAX_HEADING_CHARS = 300  # a longer paragraph in a heading's style is a paragraph
_MAX_HEAD_TITLE_CHARS = 150
_MAX_STYLE_DEPTH = 20
_HEADING_STYLE = re.compile(r"heading (\d)", re.IGNORECASE)


def parse(raw: RawFile, draft: Draft) -> None:
    check_unpacked_size(raw.body)
    draft.parser = "docx"
    document = open_document(raw.body)
    _read_properties(document, draft)
    _Writer(document, draft).write_document()


def open_document(body: bytes) -> Any:
    """Raises ParseError: UNSUPPORTED (Strict Open XML), BROKEN."""
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    docx_imports.take_imported_parts_as_bytes()
    try:
        return docx.Document(io.BytesIO(body))
    except (PackageNotFoundError, KeyError, ValueError) as error:
        if is_strict(body):
            raise ParseError(
                QuarantineReason.UNSUPPORTED, "The file is a Strict Open XML document.", "Save it as a Word document."
            ) from error
        raise ParseError(QuarantineReason.BROKEN, f"The docx package is damaged: {error}.") from error


def _read_properties(document: Any, draft: Draft) -> None:
    from docx.opc.constants import RELATIONSHIP_TYPE

    relations = document.part.package.rels.values()
    if not any(relation.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for relation in relations):
        return  # python-docx would invent them
    properties = document.core_properties
    draft.title = properties.title or ""
    draft.lang = properties.language or ""
    if properties.created is not None:
        draft.published = properties.created.date().isoformat()


def _style_level(style: Any) -> int:
    """Heading level of a paragraph style, 0 for body text. A user's style inherits it."""
    for _ in range(_MAX_STYLE_DEPTH):  # a style may be based on itself
        if style is None:
            break
        if style.name in ("Title", "Subtitle"):
            return 1
        if found := _HEADING_STYLE.fullmatch(style.name or ""):
            return int(found.group(1))
        outline = style.element.find(f"{W}pPr/{W}outlineLvl")
        if outline is not None and int(outline.get(f"{W}val")) < 9:
            return int(outline.get(f"{W}val")) + 1
        style = getattr(style, "base_style", None)
    return 0


class _Writer:
    """Writes the elements of a body, cell or box into a draft. `depth`: of documents imported into others."""

    def __init__(self, document: Any, draft: Draft, depth: int = 0) -> None:
        self._document = document
        self._levels = {style.style_id: _style_level(style) for style in document.styles if hasattr(style, "style_id")}
        self._numbering = Numbering(document)
        self._runs = RunReader(document)
        self._draft = draft
        self._depth = depth

    def write_document(self) -> None:
        heads, feet = (list(self._edge_lines(name)) for name in ("header", "footer"))
        named = (line for line in heads if len(line) <= _MAX_HEAD_TITLE_CHARS and names_document(line))
        self._draft.name_from_head(next(named, ""))
        self._draft.paragraph("\n".join(heads))
        self.write(self._document.element.body)
        for notes in _note_parts(self._document):
            for note in notes.iterchildren(f"{W}footnote", f"{W}endnote"):
                self._draft.paragraph(self._text(note))
        self._draft.paragraph("\n".join(line for line in feet if line not in heads))
        if self._runs.left_out:
            self._draft.note(struck.REMARK)

    def write(self, container: _Element) -> None:
        for element in container:
            if element.tag == f"{W}p":
                self._paragraph(element)
            elif element.tag == f"{W}tbl":
                self._table(element)
            elif element.tag == f"{W}altChunk":
                self._imported(element)
            elif element.tag in _WRAPPERS:
                self.write(element)

    def _text(self, element: _Element) -> str:
        return without_struck(self._runs.text(element))

    def _paragraph(self, paragraph: _Element) -> None:
        text = self._text(paragraph)
        if text.strip() and (label := self._numbering.label(paragraph)):
            text = f"{label} {text.lstrip()}"
        level = self._level(paragraph)
        if level and len(text) <= _MAX_HEADING_CHARS:
            self._draft.heading(level, text.removeprefix("- "))
        else:
            self._draft.paragraph(text)
        self._drawn(paragraph)

    def _drawn(self, element: _Element) -> None:
        """Write the text boxes, charts and diagrams that hang on `element`."""
        for drawn in element.iter(f"{W}txbxContent", _CHART, _NEW_CHART, docx_parts.DIAGRAM, _OBJECT):
            if next(drawn.iterancestors(FALLBACK), None) is not None:  # a second copy, for old programs
                continue
            if drawn.tag == f"{W}txbxContent":
                self.write(drawn)
            elif drawn.tag == _OBJECT:
                self._draft.note("an embedded object is not read")
            elif drawn.tag == _NEW_CHART:
                self._draft.note("a chart of a newer kind is not read")
            else:
                self._drawing(drawn)

    def _drawing(self, drawn: _Element) -> None:
        part = self._document.part
        if drawn.tag == _CHART:
            named, read = docx_parts.related_part(part, drawn), docx_parts.chart_lines
        else:
            named, read = docx_parts.related_part(part, drawn, docx_parts.DIAGRAM_DATA), docx_parts.diagram_lines
        if named is None:
            self._draft.note("a chart or diagram is missing in the file")
        else:
            self._draft.paragraph("\n".join(filter(None, read(docx_parts.load(named.blob)))))

    def _level(self, paragraph: _Element) -> int:
        outline = paragraph.find(f"{W}pPr/{W}outlineLvl")
        if outline is not None and int(outline.get(f"{W}val")) < 9:
            return int(outline.get(f"{W}val")) + 1
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        return self._levels.get(style.get(f"{W}val"), 0) if style is not None else 0

    def _table(self, table: _Element) -> None:
        """Write a row as a line. A table of one cell is a frame around text and is read as text."""
        rows = table_cells(table)
        if len(rows) == 1 and len(rows[0]) == 1:
            self.write(rows[0][0])
            return
        write_table(table_texts(rows, self._text), self._draft)
        self._drawn(table)

    def _imported(self, element: _Element) -> None:
        part = docx_parts.related_part(self._document.part, element)
        if part is None:
            self._draft.note("an imported part is missing in the file")
        elif nested := docx_imports.write_imported(part, self._draft, self._depth):
            _Writer(open_document(nested), self._draft, self._depth + 1).write(open_document(nested).element.body)

    def _edge_lines(self, kind: str) -> Iterator[str]:
        """The lines of the heads or feet of pages, each text once, without page numbers."""
        said: set[str] = set()
        for reference in self._document.element.body.iter(f"{W}{kind}Reference"):
            part = docx_parts.related_part(self._document.part, reference)
            root = getattr(part, "element", None)
            for line in self._lines(root) if root is not None else ():
                text = docx_parts.without_page_number(line)
                if text and text not in said:
                    said.add(text)
                    yield text

    def _lines(self, root: _Element) -> Iterator[str]:
        for element in root.iter(f"{W}p", f"{W}tbl"):
            inside = next(element.iterancestors(FALLBACK, f"{W}tbl"), None) is not None
            if not inside and element.tag == f"{W}tbl":
                yield from (" | ".join(row) for row in table_texts(table_cells(element), self._text))
            elif not inside:
                yield from filter(None, map(one_line, self._text(element).split("\n")))


def _note_parts(document: Any) -> Iterator[_Element]:
    for relation in document.part.rels.values():
        if relation.reltype.endswith(("/footnotes", "/endnotes")):
            yield docx_parts.load(relation.target_part.blob)
