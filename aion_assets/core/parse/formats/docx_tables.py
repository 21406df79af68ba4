"""Tables of a Word document as rows of text, merged cells in every row and column that they cover."""

from collections.abc import Callable

from lxml.etree import _Element

from aion_assets.core.parse.draft import one_line
from aion_assets.core.parse.formats.docx_runs import W

_MAX_SPAN = 200
_MAX_CELLS = 200_000  # of one table, with those that merged cells fill
_MAX_COPIED_CHARS = 300


def table_cells(table: _Element) -> list[list[_Element]]:
    """The cells of each row, looked up through content controls around them."""
    rows = table.iter(f"{W}tr")
    own = [row for row in rows if next(row.iterancestors(f"{W}tbl")) is table]
    return [[cell for cell in row.iter(f"{W}tc") if next(cell.iterancestors(f"{W}tr")) is row] for row in own]


def table_texts(rows: list[list[_Element]], read: Callable[[_Element], str]) -> list[list[str]]:
    """The texts of the cells of each row that has any."""
    grid = [_spread(cells, read) for cells in rows]
    above: list[str] = []
    filled = 0
    for texts, goes_on in grid:
        for place, continues in enumerate(goes_on):
            if continues and place < len(above) and len(above[place]) <= _MAX_COPIED_CHARS and filled < _MAX_CELLS:
                texts[place] = above[place]
                filled += 1
        above = texts
    lines = _join_heads(rows, [texts for texts, _ in grid])
    return [texts for texts in map(_said_once, lines) if any(texts)]


def _spread(cells: list[_Element], read: Callable[[_Element], str]) -> tuple[list[str], list[bool]]:
    """The texts of a row by columns, and which of them go on from the row above."""
    texts: list[str] = [""] * _left_out_before(cells)
    goes_on: list[bool] = [False] * len(texts)
    for cell in cells:
        properties = cell.find(f"{W}tcPr")
        span, merge = (_child(properties, name) for name in ("gridSpan", "vMerge"))
        width = min(int(span.get(f"{W}val", "1") or 1), _MAX_SPAN) if span is not None else 1
        text = one_line(read(cell))
        across = _child(properties, "hMerge")  # of older programs: the cells to the right are there, and are empty
        if across is not None and across.get(f"{W}val", "continue") == "continue" and texts and not text:
            text = texts[-1] if len(texts[-1]) <= _MAX_COPIED_CHARS else ""
        texts += [text] * (width if len(text) <= _MAX_COPIED_CHARS else 1)
        continues = merge is not None and merge.get(f"{W}val", "continue") == "continue"
        goes_on += [continues] * (len(texts) - len(goes_on))
    return texts, goes_on


def _left_out_before(cells: list[_Element]) -> int:
    """Columns that a row leaves out at its left side."""
    row = next(cells[0].iterancestors(f"{W}tr")) if cells else None
    skipped = _child(row.find(f"{W}trPr"), "gridBefore") if row is not None else None
    value = skipped.get(f"{W}val", "") if skipped is not None else ""
    return min(int(value), _MAX_SPAN) if value.isdigit() else 0


def _said_once(texts: list[str]) -> list[str]:
    """A title over the whole row is said once."""
    return texts[:1] if len(texts) > 1 and len(set(texts)) == 1 else texts


def _join_heads(rows: list[list[_Element]], texts: list[list[str]]) -> list[list[str]]:
    """Make one row of two rows of column names: "Adulto" above "manhã" and "tarde" becomes "Adulto manhã" and so on."""
    if len(rows) < 3 or len(texts[0]) != len(texts[1]) or len(set(texts[0])) < 2:
        return texts
    wide = any(_child(cell.find(f"{W}tcPr"), "gridSpan") is not None for cell in rows[0])
    if not wide or any(sign.isdigit() for text in (*texts[0], *texts[1]) for sign in text):
        return texts
    joined = [" ".join(dict.fromkeys(filter(None, pair))) for pair in zip(texts[0], texts[1], strict=True)]
    return [joined, *texts[2:]]


def _child(properties: _Element | None, name: str) -> _Element | None:
    return properties.find(f"{W}{name}") if properties is not None else None
