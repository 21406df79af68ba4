"""Tables: each row is a paragraph of `column: value; …`, so that it can be found and cited by itself.

The standard library's csv reads them, not polars: it keeps all cells of uneven rows, and an unclosed quotation mark
costs one row instead of the file.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from statistics import median

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import MAX_TEXT_CHARS, Draft, one_line
from aion_assets.core.records import QuarantineReason

_DELIMITERS = (";", ",", "\t", "|")
_SNIFFED_ROWS = 50


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
            looks_named = not any(_is_number(cell) for cell in named) and len(set(named)) == len(named) > 1
            return place if looks_named and place < len(rows) - 1 else -1
    return -1


def _is_number(cell: str) -> bool:
    digits = cell.translate(str.maketrans("", "", ".,-+ %$R€/:"))
    return digits.isdigit() and len(digits) != 4  # a year may name a column
