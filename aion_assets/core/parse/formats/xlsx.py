"""Workbooks: each sheet is a heading, each row a paragraph, each cell as the sheet shows it."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.parse.formats import notation, struck
from aion_assets.core.parse.formats.archive import check_unpacked_size
from aion_assets.core.parse.formats.table import write_rows
from aion_assets.core.parse.formats.xlsx_formulas import Formulas
from aion_assets.core.parse.formats.xlsx_sheet import SheetFacts, read_facts
from aion_assets.core.parse.formats.xlsx_values import Language, shown
from aion_assets.core.records import QuarantineReason

_SAMPLED_ROWS = 200
_HEAD_ROWS = 20
_ENGLISH = ("en",)
_HEIGHTS = {"superscript": notation.raised, "subscript": notation.lowered}


def parse(raw: RawFile, draft: Draft) -> None:
    check_unpacked_size(raw.body)
    draft.parser = "xlsx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which hold no text
        workbook = _open(raw.body, data_only=True)
        draft.title = workbook.properties.title or ""
        formulas = Formulas()
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                draft.heading(1, sheet.title)
                _write_sheet(sheet, raw.body, formulas, draft)
        workbook.close()
    formulas.remark(draft)


def _open(body: bytes, data_only: bool) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException
    from openpyxl.worksheet import _read_only, _reader

    # The looks of parts of a text are read for texts that cells share. This asks for those within cells, too.
    _read_only.WorkSheetParser = partial(_reader.WorkSheetParser, rich_text=True)
    try:
        return load_workbook(io.BytesIO(body), read_only=True, data_only=data_only, rich_text=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ParseError(QuarantineReason.BROKEN, f"The workbook is damaged: {error}.") from error


def _write_sheet(sheet: Any, body: bytes, formulas: Formulas, draft: Draft) -> None:
    facts = read_facts(sheet)
    sheet.reset_dimensions()  # some programs write wrong dimensions
    rows: Iterator[Any] = sheet.iter_rows()
    if facts.has_unsaved_results:
        written = _open(body, data_only=False)
        twin = written[sheet.title]
        twin.reset_dimensions()
        rows = formulas.filled(zip_longest(rows, twin.iter_rows(), fillvalue=()))
    first = list(islice(rows, _SAMPLED_ROWS))
    language = _language(first)
    texts = _texts(chain(first, rows), facts, _Reader(language, _struck_styles(sheet.parent), draft))
    write_rows(_with_joined_heads(texts, facts), draft)


def _language(rows: list[Any]) -> Language:
    """Portuguese unless the words of the sheet are English: formats with an explicit Brazilian place decide first."""
    from aion_assets.core.language.identify import identify

    formats = {cell.number_format for row in rows for cell in row if getattr(cell, "number_format", None)}
    if any("R$" in name or "-416]" in name for name in formats):
        return Language("pt")
    words = " ".join(cell.value for row in rows for cell in row if isinstance(cell.value, str))
    return Language("en" if identify(words, "") in _ENGLISH else "pt")


def _texts(rows: Iterator[Any], facts: SheetFacts, reader: "_Reader") -> Iterator[tuple[int, list[str]]]:
    """The number of each row, from 1, and its texts. Merged cells stand in every row and column that they cover."""
    for number, row in enumerate(rows, 1):
        texts = [reader.text(cell) for cell in row]
        facts.spread(number, texts)
        yield number, texts


@dataclass(slots=True)
class _Reader:
    """Reads cells. `struck`: styles that strike their cells out."""

    language: Language
    struck: frozenset[int]
    draft: Draft

    def text(self, cell: Any) -> str:
        value = cell.value
        if self.struck and value is not None and getattr(cell, "_style_id", 0) in self.struck:
            self.draft.note(struck.REMARK)
            return ""
        if isinstance(value, list):
            return self._of_runs(value)
        return value if isinstance(value, str) else shown(value, cell.number_format, self.language)

    def _of_runs(self, runs: list[Any]) -> str:
        """A text of which parts look otherwise, as openpyxl's CellRichText has it."""
        pieces: list[str] = []
        for run in runs:
            font, text = getattr(run, "font", None), getattr(run, "text", run)
            if font is not None and font.strike:
                self.draft.note(struck.REMARK)
                continue
            write = _HEIGHTS.get(font.vertAlign) if font is not None else None
            pieces.append(write("".join(pieces[-3:]), text) if write else text)
        return "".join(pieces)


def _struck_styles(workbook: Any) -> frozenset[int]:
    fonts = {place for place, font in enumerate(workbook._fonts) if font.strike}
    return frozenset(place for place, style in enumerate(workbook._cell_styles) if style.fontId in fonts)


def _with_joined_heads(rows: Iterator[tuple[int, list[str]]], facts: SheetFacts) -> Iterator[list[str]]:
    """Make one row of two rows of column names: "Adulto" over "manhã" and "tarde" becomes "Adulto manhã" and so on."""
    above: list[str] | None = None
    for number, texts in rows:
        if above is not None:
            if any(re.search(r"\d", text) for text in texts):
                yield above
                yield texts
            else:
                pairs = zip_longest(above, texts, fillvalue="")
                yield [" ".join(dict.fromkeys(filter(None, pair))) for pair in pairs]
            above = None
        elif number <= _HEAD_ROWS and facts.is_wide(number) and _is_head(texts):
            above = texts
        else:
            yield texts
    if above is not None:
        yield above


def _is_head(texts: list[str]) -> bool:
    """Whether a row has several names and no figure: a title over the whole table has one."""
    return sum(map(bool, texts)) > 1 and not any(re.search(r"\d", text) for text in texts)
