"""A chapter as a PDF with page numbers and an outline."""

import io
from html import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, ListFlowable, Preformatted, SimpleDocTemplate, Spacer
from reportlab.platypus import Paragraph as PdfParagraph
from reportlab.platypus import Table as PdfTable

from manual_formats.blocks import Chapter, Heading, ItemList, Listing, Paragraph, Spans, Table, slug
from manual_formats.fonts import BOLD, REGULAR, check_glyphs

_MARGIN = 2.2 * cm
_TEXT_WIDTH = A4[0] - 2 * _MARGIN
_BODY = ParagraphStyle("body", fontName="Vera", fontSize=9.5, leading=14, spaceAfter=7)
_CELL = ParagraphStyle("cell", _BODY, fontSize=8.5, leading=11.5, spaceAfter=0)
_CODE = ParagraphStyle("code", _BODY, fontName="Courier", fontSize=8.5, leading=11.5, leftIndent=10)
_HEADINGS = {
    level: ParagraphStyle(
        f"h{level}", _BODY, fontName="VeraBd", fontSize=size, leading=size * 1.3, spaceBefore=9, keepWithNext=1
    )
    for level, size in ((1, 17), (2, 12.5), (3, 10.5))
}


def render_pdf(chapter: Chapter) -> bytes:
    """Raises ManualError: the typeface lacks a character of the chapter."""
    check_glyphs(chapter)
    registerFont(TTFont("Vera", REGULAR))
    registerFont(TTFont("VeraBd", BOLD))
    registerFontFamily("Vera", normal="Vera", bold="VeraBd")
    out = io.BytesIO()
    # invariant: no time and no random id in the file.
    template = _NumberedTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN, bottomMargin=_MARGIN,
        title=chapter.title, author="AION", lang="pt-BR" if chapter.lang == "pt" else "en", invariant=1,
    )  # fmt: skip
    template.build(_flowables(chapter))
    return out.getvalue()


class _NumberedTemplate(SimpleDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """Adds an outline, and page numbers after the text of each page: extracted text keeps the order of drawing."""

    def afterPage(self) -> None:
        self.canv.setFont("Vera", 8)
        word = "página" if self.lang == "pt-BR" else "page"
        self.canv.drawCentredString(A4[0] / 2, 1.2 * cm, f"{word} {self.canv.getPageNumber()}")

    def afterFlowable(self, flowable: Flowable) -> None:
        level = next((level for level, style in _HEADINGS.items() if getattr(flowable, "style", None) is style), None)
        if level is not None:
            text = flowable.getPlainText()
            self.canv.bookmarkPage(slug(text))
            self.canv.addOutlineEntry(text, slug(text), level - 1)


def _flowables(chapter: Chapter) -> list[Flowable]:
    flowables: list[Flowable] = []
    for block in chapter.blocks:
        match block:
            case Heading(level, text):
                flowables.append(PdfParagraph(escape(text), _HEADINGS[level]))
            case Paragraph(spans):
                flowables.append(PdfParagraph(_markup(spans), _BODY))
            case ItemList(ordered, items):
                paragraphs = [PdfParagraph(_markup(item), _BODY) for item in items]
                bullets = {"bulletType": "1"} if ordered else {"bulletType": "bullet", "start": "•"}
                flowables.append(ListFlowable(paragraphs, bulletFontName="Vera", bulletFontSize=9.5, **bullets))
            case Listing(text):
                flowables += [Preformatted(text, _CODE), Spacer(1, 4)]
            case Table(rows):
                flowables += [_table(rows), Spacer(1, 8)]
    return flowables


def _table(rows: tuple[tuple[Spans, ...], ...]) -> PdfTable:
    cells = [
        [PdfParagraph(_markup(cell, strong=number == 0), _CELL) for cell in row] for number, row in enumerate(rows)
    ]
    # A short first column names what the others describe.
    first = 0.24 if len(rows[0]) > 1 else 1.0
    rest = (1 - first) / max(1, len(rows[0]) - 1)
    widths = [_TEXT_WIDTH * share for share in (first, *[rest] * (len(rows[0]) - 1))]
    grid = [("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return PdfTable(cells, colWidths=widths, repeatRows=1, style=grid)


def _markup(spans: Spans, strong: bool = False) -> str:
    parts = []
    for span in spans:
        text = escape(span.text)
        if span.code:
            text = f'<font face="Courier">{text}</font>'
        elif span.strong or strong:
            text = f"<b>{text}</b>"
        parts.append(text)
    return "".join(parts)
