"""A chapter as the scan of a printed sheet: grey, a little crooked, with noise, and no text layer."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from manual_formats.blocks import Chapter, Heading, ItemList, Listing, ManualError, Paragraph, Table, plain
from manual_formats.fonts import BOLD, REGULAR, check_glyphs

_DPI = 200
_A4_PX = (1654, 2339)
_MARGIN_PX = 150
_INDENT_PX = 45
_PAPER = 244
_INK = 40
_TILT_DEGREES = 0.6
_NOISE = 5.0  # standard deviation in grey levels
_GREYS = 16  # noise in all 256 greys would make the file four times as big
_SEED = 7


def render_scan(chapter: Chapter) -> bytes:
    """A PNG of one A4 sheet. Raises ManualError: the chapter is longer than the sheet, or holds a table."""
    check_glyphs(chapter)
    sheet = Image.new("L", _A4_PX, _PAPER)
    _print(ImageDraw.Draw(sheet), chapter)
    tilted = sheet.rotate(_TILT_DEGREES, Image.Resampling.BICUBIC, fillcolor=_PAPER)
    pixels = np.asarray(tilted.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    pixels = pixels + np.random.default_rng(_SEED).normal(0, _NOISE, pixels.shape).astype(np.float32)
    step = 256 // _GREYS
    greys = (np.clip(pixels, 0, 255) // step * step).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(greys).save(out, "PNG", dpi=(_DPI, _DPI))
    return out.getvalue()


def _print(sheet: ImageDraw.ImageDraw, chapter: Chapter) -> None:
    top = float(_MARGIN_PX)
    for block in chapter.blocks:
        match block:
            case Heading(level, text):
                top = _write(sheet, top + 14, text, size=46 if level == 1 else 34, bold=True)
            case Paragraph(spans):
                top = _write(sheet, top, plain(spans))
            case ItemList(ordered, items):
                for number, item in enumerate(items, 1):
                    mark = f"{number}." if ordered else "-"
                    top = _write(sheet, top, f"{mark} {plain(item)}", indent=_INDENT_PX)
            case Listing(text):
                for line in text.splitlines():
                    top = _write(sheet, top, line, indent=_INDENT_PX)
            case Table():
                raise ManualError(f"{chapter.name} ({chapter.lang}): a scanned sheet holds no table.")
        top += 14
    if top > _A4_PX[1] - _MARGIN_PX:
        raise ManualError(f"{chapter.name} ({chapter.lang}) is {top - _A4_PX[1] + _MARGIN_PX:.0f} pixels too long.")


def _write(
    sheet: ImageDraw.ImageDraw, top: float, text: str, size: int = 29, bold: bool = False, indent: int = 0
) -> float:
    """Write the text, broken at words, and return where the next line begins."""
    # The basic layout is part of Pillow; the other needs a system library.
    font = ImageFont.truetype(BOLD if bold else REGULAR, size, layout_engine=ImageFont.Layout.BASIC)
    room = _A4_PX[0] - 2 * _MARGIN_PX - indent
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    for line in lines:
        sheet.text((_MARGIN_PX + indent, top), line, fill=_INK, font=font)
        top += size * 1.4
    return top
