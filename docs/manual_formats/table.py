"""A chapter that is one table, as a csv file."""

import csv
import io

from manual_formats.blocks import Chapter, Heading, ManualError, Table, plain

# What spreadsheets of each language write: a Brazilian one separates by semicolons, and is often in latin-1.
_DIALECT = {"pt": (";", "latin-1"), "en": (",", "utf-8")}


def render_csv(chapter: Chapter) -> bytes:
    """Raises ManualError: the chapter is not a title and one table, or the encoding lacks a character."""
    match chapter.blocks:
        case (Heading(), Table(rows)):
            delimiter, encoding = _DIALECT[chapter.lang]
        case _:
            raise ManualError(f"{chapter.name} ({chapter.lang}) is not just a title and one table.")
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([plain(cell) for cell in row] for row in rows)
    try:
        return out.getvalue().encode(encoding)
    except UnicodeEncodeError as error:
        raise ManualError(f"{chapter.name} ({chapter.lang}): {error}.") from error
