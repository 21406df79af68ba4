"""Code in a PDF: lines in a font of fixed pitch, in a document whose text is in another one."""

import ctypes
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aion_assets.core.parse.formats.pdf_layout import Line

_FIXED_PITCH = 1  # the first of the flags of a font, ISO 32000-1, table 123
_NAME_BYTES = 256
_FIXED_NAMES = ("courier", "mono", "consol", "menlo")


def is_code(textpage: Any, first: int, last: int) -> bool:
    """Whether the characters from `first` to `last` have a fixed pitch: a line may begin or end with a word of code."""
    return all(_has_fixed_pitch(textpage, index) for index in (first, last, (first + last) // 2))


def _has_fixed_pitch(textpage: Any, index: int) -> bool:
    """Of the character's font. Fonts of which a file says nothing are known by their name."""
    from pypdfium2 import raw as pdfium

    flags, name = ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    pdfium.FPDFText_GetFontInfo(textpage, index, name, _NAME_BYTES, ctypes.byref(flags))
    called = name.value.decode("utf-8", "replace").lower()
    return bool(flags.value & _FIXED_PITCH) or any(part in called for part in _FIXED_NAMES)


def forget_typewriting(pages: Iterable[Sequence["Line"]]) -> None:
    """Where most lines of the document have a fixed pitch, it was typewritten, and they are no code."""
    lines = [line for page in pages for line in page]
    if 2 * sum(line.is_code for line in lines) > len(lines):
        for line in lines:
            line.is_code = False
