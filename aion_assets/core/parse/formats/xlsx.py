"""Workbooks: each sheet is a heading, each row a paragraph."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.parse.formats.archive import check_unpacked_size
from aion_assets.core.parse.formats.table import write_rows
from aion_assets.core.records import QuarantineReason


def parse(raw: RawFile, draft: Draft) -> None:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    check_unpacked_size(raw.body)
    draft.parser = "xlsx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and validations, which hold no text
        try:
            workbook = load_workbook(io.BytesIO(raw.body), read_only=True, data_only=True)
        except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ParseError(QuarantineReason.BROKEN, f"The workbook is damaged: {error}.") from error
        draft.title = workbook.properties.title or ""
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                draft.heading(1, sheet.title)
                sheet.reset_dimensions()  # some programs write wrong dimensions
                write_rows(_rows(sheet), draft)
        workbook.close()


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows(values_only=True):
        yield [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != datetime.min.time() else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
