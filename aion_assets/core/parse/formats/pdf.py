"""PDF: text by page with its headings. Tesseract reads the rendering of pages without text."""

import re
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats import pdf_layout, struck
from aion_assets.core.parse.formats.ocr import read_image
from aion_assets.core.parse.formats.pdf_code import forget_typewriting
from aion_assets.core.parse.formats.pdf_form import with_filled
from aion_assets.core.parse.formats.pdf_marks import read_filled, read_strokes
from aion_assets.core.records import QuarantineReason

# Fewer letters on a page with pictures are a stamp or a page number over a scan.
_MIN_PAGE_LETTERS = 16
# For a font without a map to Unicode, pdfium returns control and replacement characters.
_MAX_UNREADABLE_SHARE = 0.3
_OCR_DPI = 300
_MAX_RENDERED_PIXELS = 25_000_000  # A4 at 300 dpi has 9 million


def parse(raw: RawFile, draft: Draft) -> None:
    import pypdfium2

    draft.parser = "pdf"
    try:
        document = pypdfium2.PdfDocument(raw.body)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ParseError(
                QuarantineReason.ENCRYPTED, "The PDF needs a password.", "Add it without the password."
            ) from error
        raise ParseError(QuarantineReason.BROKEN, f"The PDF is damaged: {error}") from error
    try:
        _read_metadata(document, draft)
        _write_pages(document, raw, draft)
    finally:
        document.close()


def _write_pages(document: Any, raw: RawFile, draft: Draft) -> None:
    import pypdfium2

    pages: list[list[pdf_layout.Line]] = []
    scanned: dict[int, str] = {}
    outline = _outline(document)
    form = _form(document, draft)
    broken: list[int] = []
    for index in range(len(document)):
        try:
            lines, scanned[index] = _read_page(document[index], index + 1, raw, draft, form)
        except pypdfium2.PdfiumError:
            lines = []
            broken.append(index + 1)
        pages.append(lines)
    if broken:
        _remark_broken(broken, len(pages), draft)
    forget_typewriting(pages)
    levels = pdf_layout.heading_levels(pages)
    groups = [list(pdf_layout.paragraphs(lines)) for lines in pdf_layout.drop_running_lines(pages)]
    pdf_layout.join_over_pages(groups)
    for index, paragraphs in enumerate(groups):
        draft.page(index + 1)
        draft.paragraph(scanned.get(index, ""))
        _write_page(paragraphs, levels, outline.get(index, []), draft)


def _form(document: Any, draft: Draft) -> Any:
    """The handle of the document's form, None where it has none."""
    from pypdfium2 import raw as pdfium

    kind = document.get_formtype()
    if kind == pdfium.FORMTYPE_NONE:
        return None
    if kind != pdfium.FORMTYPE_ACRO_FORM:
        draft.note("the file is a dynamic form (XFA): its fields may not be read; print it to a new PDF")
    document.init_forms()
    return document.formenv


def _read_page(page: Any, number: int, raw: RawFile, draft: Draft, form: Any) -> tuple[list[pdf_layout.Line], str]:
    """The lines of a page, or the text that Tesseract reads in it."""
    textpage = page.get_textpage()
    lines, has_struck = pdf_layout.read_lines(textpage, page.get_height(), read_strokes(page))
    if has_struck:
        draft.note(struck.REMARK)
    recognised = _recognise(page, number, raw, draft) if _needs_ocr(page, lines) and not has_struck else ""
    filled = read_filled(page, form)
    if filled and not recognised:
        lines = with_filled(lines, filled, textpage)
    textpage.close()
    page.close()
    if recognised:
        typed = "\n\n".join(f"{item.name}: {item.text}" if item.name else item.text for item in filled if item.text)
        return [], f"{recognised}\n\n{typed}"
    return lines, ""


def _remark_broken(numbers: list[int], pages: int, draft: Draft) -> None:
    if len(numbers) == pages:
        raise ParseError(QuarantineReason.BROKEN, "The PDF is damaged: none of its pages can be read.")
    first = f"page {numbers[0]} cannot be read"
    draft.note(first if len(numbers) == 1 else f"{first}, nor can {len(numbers) - 1} more")


def _write_page(
    groups: list[list[pdf_layout.Line]], levels: dict[float, int], outline: list[tuple[int, str]], draft: Draft
) -> None:
    """Write a page. The outline's entries are its headings; without an outline, letter size decides."""
    awaited = {_key(title): level for level, title in outline}
    texts = [pdf_layout.paragraph_text(group) for group in groups]
    absent = awaited.keys() - {_key(text) for text in texts}
    for level, title in outline:
        if _key(title) in absent:
            draft.section(level, title)
    for group, text in zip(groups, texts, strict=True):
        level = awaited.get(_key(text), 0) or (0 if outline else pdf_layout.heading_level(group, levels))
        if level:
            draft.heading(level, text)
        else:
            draft.paragraph(text)


def _key(text: str) -> str:
    """Letters and digits only: outlines space and punctuate differently from the page."""
    return "".join(filter(str.isalnum, one_line(text).casefold()))


def _outline(document: Any) -> dict[int, list[tuple[int, str]]]:
    """Page index → its entries (level from 1, title), in order."""
    entries: dict[int, list[tuple[int, str]]] = {}
    for bookmark in document.get_toc(max_depth=6):
        destination = bookmark.get_dest()
        index = destination.get_index() if destination is not None else None
        if index is not None and (title := one_line(bookmark.get_title())):
            entries.setdefault(index, []).append((bookmark.level + 1, title))
    return entries


def _needs_ocr(page: Any, lines: list[pdf_layout.Line]) -> bool:
    from pypdfium2 import raw as pdfium

    text = "".join(line.text for line in lines)
    letters = sum(map(str.isalnum, text))
    unreadable = sum(not character.isprintable() or character == "\ufffd" for character in text.replace("\ufffe", ""))
    if unreadable > _MAX_UNREADABLE_SHARE * max(len(text), 1):
        return True
    if letters >= _MIN_PAGE_LETTERS:
        return False
    kinds = {thing.type for thing in page.get_objects(max_depth=2)}
    return pdfium.FPDF_PAGEOBJ_IMAGE in kinds if letters else bool(kinds)


def _recognise(page: Any, number: int, raw: RawFile, draft: Draft) -> str:
    """Text of a page by OCR; "" where there is none to read. Then the remark says why."""
    if raw.is_late():
        what = f"pages from {number} on that are pictures are not read: the time limit is near"
        draft.leave_out(ParseError(QuarantineReason.TIMEOUT, what))
        return ""
    width, height = page.get_size()
    scale = min(_OCR_DPI / 72, (_MAX_RENDERED_PIXELS / max(width * height, 1)) ** 0.5)
    picture = page.render(scale=scale, grayscale=True).to_pil()
    low, high = picture.getextrema()
    if high - low < 32:  # one shade of gray: an empty page
        return ""
    try:
        return read_image(picture, draft.note)
    except ParseError as error:
        if error.reason != QuarantineReason.OCR_MISSING:
            raise
        draft.leave_out(error)
        return ""


def _read_metadata(document: Any, draft: Draft) -> None:
    fields = document.get_metadata_dict()
    draft.title = one_line(fields.get("Title", ""))
    if created := re.match(r"D:(\d{4})(\d{2})(\d{2})", fields.get("CreationDate", "")):
        draft.published = "-".join(created.groups())
