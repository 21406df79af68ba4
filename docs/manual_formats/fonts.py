"""The one typeface of the manual: Bitstream Vera, which reportlab carries, so that no system font is needed."""

from functools import lru_cache
from pathlib import Path

import reportlab
from reportlab.pdfbase.ttfonts import TTFontFace

from manual_formats.blocks import Chapter, Heading, ItemList, Listing, ManualError, Paragraph, Table, plain

_FOLDER = Path(reportlab.__file__).parent / "fonts"
REGULAR = _FOLDER / "Vera.ttf"
BOLD = _FOLDER / "VeraBd.ttf"


def check_glyphs(chapter: Chapter) -> None:
    """Raises ManualError: the typeface lacks a character of the chapter, which would come out as a box."""
    texts = []
    for block in chapter.blocks:
        match block:
            case Heading(_, text) | Listing(text):
                texts.append(text.replace("\n", " "))
            case Paragraph(spans):
                texts.append(plain(spans))
            case ItemList(_, items):
                texts.extend(plain(item) for item in items)
            case Table(rows):
                texts.extend(plain(cell) for row in rows for cell in row)
    lacking = {character for character in "".join(texts) if ord(character) not in _characters()}
    if lacking:
        raise ManualError(f"{chapter.name} ({chapter.lang}): {REGULAR.name} has no {' '.join(sorted(lacking))}.")


@lru_cache
def _characters() -> frozenset[int]:
    return frozenset(TTFontFace(str(REGULAR)).charToGlyph)
