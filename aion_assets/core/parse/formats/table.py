"""Tables: each row is a paragraph of `column: value; …`, so that it can be found and cited by itself.

The standard library's csv reads them, not polars: it keeps all cells of uneven rows, and an unclosed quotation mark
costs one row instead of the file.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from statistics import median

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import MAX_TEXT_CHARS, Draft, one_line
from aion_assets.core.records import QuarantineReason

_DELIMITERS = (";", ",", "\t", "|")
_SNIFFED_ROWS = 50
LONG_TABLE_CHARS = 1_000  # a passage holds a little more, with what stands around the table
_MIN_LONG_ROWS = 6
_SIGNS_IN_NUMBERS = str.maketrans("", "", ".,-–+ %$R€/:<>≥≤")
_RANGE = re.compile(r"[<>≥≤]?\s*\d{1,4}\s*(?:[-–/]\s*\d{1,4}|\+)|[<>≥≤]\s*\d{1,4}")


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "csv"
    text = raw.text().replace("\0", "")
    csv.field_size_limit(MAX_TEXT_CHARS)
    delimiter = sniff_delimiter(text)
    try:
        write_rows(_rows(text, delimiter), draft)
    except csv.Error as error:
        raise ParseError(QuarantineReason.BROKEN, f"The table cannot be read: {error}.") from error


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of the text. A quotation mark that is never closed ends with its line, instead of swallowing the rest."""
    lines = list(io.StringIO(text, newline=""))
    begin = 0
    while begin < len(lines):
        reader = csv.reader(lines[begin:], delimiter=delimiter)
        row: list[str] = []
        start = end = 0
        for following in reader:
            yield row
            row, start, end = following, end, reader.line_num
        if not (end - start > 1 and text.endswith(row[-1])):
            yield row
            return
        yield from csv.reader([lines[begin + start]], delimiter=delimiter, quoting=csv.QUOTE_NONE)
        begin += start + 1


def sniff_delimiter(text: str) -> str:
    """The delimiter that splits the first rows into the most columns, and most evenly.

    `csv.Sniffer` needs more regularity than tables with free text and decimal commas have.
    """
    head = "\n".join(text.splitlines()[: 2 * _SNIFFED_ROWS])

    def evenness(delimiter: str) -> float:
        try:
            rows = [row for row in islice(csv.reader(io.StringIO(head), delimiter=delimiter), _SNIFFED_ROWS) if row]
        except csv.Error:
            return 0.0
        widths = [len(row) for row in rows]
        if not widths or (usual := max(set(widths), key=widths.count)) == 1:
            return 0.0
        return widths.count(usual) / len(widths) * (1 + 0.05 * min(usual, 20))

    return max(_DELIMITERS, key=evenness)


def write_rows(rows: Iterable[Sequence[str]], draft: Draft) -> None:
    """Write rows into `draft` until it is full. Rows above the column names become plain text."""
    filled = ([one_line(cell) for cell in row] for row in rows)
    remaining = (row for row in filled if any(row))
    head = list(islice(remaining, _SNIFFED_ROWS))
    place = _header_place(head)
    for row in head[: max(place, 0)]:
        draft.paragraph(" | ".join(filter(None, row)))
    names = head[place] if place >= 0 else []
    for row in chain(head[place + 1 :], remaining):
        if draft.full:
            return
        draft.paragraph("; ".join(_cells(row, names)))
    if len(head) == 1 and names:
        draft.paragraph(" | ".join(filter(None, names)))


def write_table(rows: Sequence[Sequence[str]], draft: Draft) -> None:
    """Write the rows of a table in a document, one a line with bars between the cells.

    A table that no passage holds whole is written like a sheet: each row takes the names of its columns along.
    """
    lines = [" | ".join(row) for row in rows]
    place = _header_place(rows[:_SNIFFED_ROWS]) if sum(map(len, lines)) > LONG_TABLE_CHARS else -1
    if place < 0 or len(rows) < _MIN_LONG_ROWS:
        draft.paragraph("\n".join(lines))
        return
    draft.paragraph("\n".join(lines[:place]))
    for row in rows[place + 1 :]:
        if draft.full:
            return
        draft.paragraph("; ".join(_cells(row, rows[place])) if len(row) > 1 else "".join(row))


def _cells(row: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    for position, value in enumerate(row):
        if value:
            name = names[position] if position < len(names) else ""
            yield f"{name}: {value}" if name else value


def _header_place(rows: Sequence[Sequence[str]]) -> int:
    """Index of the row of column names: the first row about as wide as the table. -1 where there is none."""
    if not rows:
        return -1
    widths = [sum(map(bool, row)) for row in rows]
    for place, row in enumerate(rows):
        if widths[place] >= 0.6 * median(widths[place:]):
            named = [cell for cell in row if cell]
            looks_named = len(set(named)) == len(named) > 1 and not _holds_values(row, rows[place + 1 :])
            return place if looks_named and place < len(rows) - 1 else -1
    return -1


def _holds_values(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether `row` has figures of the kind that the rows below it have. Ranges, ages and years may name columns."""
    figures = [place for place, cell in enumerate(row) if _is_number(cell)]
    if not figures:
        return False
    if _is_series([row[place] for place in figures]) and not _is_number(row[0]):
        return False
    for place in figures:
        others = [other[place] for other in below if place < len(other) and other[place]]
        alike = sum(_shape(other) == _shape(row[place]) for other in others)
        if not _may_name(row[place]) or 2 * alike > len(others):
            return True
    return False


def _is_series(cells: Sequence[str]) -> bool:
    """Whether cells count up one by one: months, days or years above their columns."""
    numbers = [int(cell) for cell in cells if cell.isascii() and cell.isdigit() and len(cell) <= 4]
    counts = all(after == before + 1 for before, after in pairwise(numbers))
    return len(numbers) == len(cells) > 2 and counts and numbers[0] in (0, 1, *range(1900, 2100))


def _may_name(cell: str) -> bool:
    return _RANGE.fullmatch(cell) is not None or (len(cell) == 4 and cell.isdigit())


def _shape(cell: str) -> str:
    """The signs of a cell with its digits alike: 0-14 and 15-64 are both "9-9"."""
    return re.sub(r"\d+", "9", cell) if not (len(cell) == 4 and cell.isdigit()) else "year"


def _is_number(cell: str) -> bool:
    return cell.translate(_SIGNS_IN_NUMBERS).isdigit()
