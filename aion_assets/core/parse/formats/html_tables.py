"""Tables, before the page is read: merged cells are written into every row and column that they cover."""

from itertools import zip_longest

from lxml.etree import _Element

from aion_assets.core.parse.draft import one_line

# More than any table that people read. HTML allows a cell to span 65 534 rows and 1 000 columns.
_MAX_SPAN = 60
_MAX_COPIES = 10_000  # of cells, in one page
_MAX_COPIED_CHARS = 300  # a longer cell is a layout's column of text
_TAGS_OF_ROLES = {
    **dict.fromkeys(("table", "grid", "treegrid"), "table"),
    **dict.fromkeys(("cell", "gridcell", "rowheader"), "td"),
    "rowgroup": "tbody",
    "row": "tr",
    "columnheader": "th",
}
_TEXTS = ("pre", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "form")
_LAYOUT = ("table", *_TEXTS)


def spread_merged_cells(tree: _Element) -> None:
    left = _MAX_COPIES
    for table in tree.iter("table"):
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        if any(_span(cell, name) > 1 for row in rows for cell in _cells(row) for name in ("rowspan", "colspan")):
            heads = _heads(rows)
            left = _spread(rows, left)
            _join(heads, rows)
        if left <= 0:
            return


def unnest_tables(tree: _Element) -> None:
    """Tables in cells of one that names its columns: each of their rows becomes a row of the outer one, the cell being
    "name: value, name: value". A table that names no columns is a layout, and its cells are read one by one.
    """
    for table in [one for one in tree.iter("table") if one.find(".//table") is not None]:
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        if not rows or not _names_columns(rows[0]) or next(table.iter(*_TEXTS), None) is not None:
            continue
        if any(_span(cell, "rowspan") > 1 for row in rows for cell in _cells(row)):
            continue
        for row in rows:
            inner = [one for cell in _cells(row) for one in cell.iterchildren("table")]
            if len(inner) == 1 and len([*row.iter("table")]) == 1:
                _unnest(row, inner[0])


def _unnest(row: _Element, inner: _Element) -> None:
    """Put a row for each row of `inner`, which stands in one of its cells, in the place of `row`."""
    rows = [one for one in inner.iter("tr") if _cells(one)]
    names = [one_line(" ".join(cell.itertext())) for cell in _cells(rows[0])] if len(rows) > 1 else []
    named = bool(names) and _names_columns(rows[0])
    for inside in rows[1:] if named else rows:
        texts = [one_line(" ".join(cell.itertext())) for cell in _cells(inside)]
        told = [f"{name}: {text}" if named and name else text for name, text in zip_longest(names, texts) if text]
        made = row.makeelement("tr")
        for cell in _cells(row):
            copied = _copy(cell)
            if inner.getparent() is cell:
                copied.text = one_line(f"{cell.text or ''} {', '.join(told)} {inner.tail or ''}")
            made.append(copied)
        row.addprevious(made)
    if rows and (parent := row.getparent()) is not None:
        parent.remove(row)


def _names_columns(row: _Element) -> bool:
    return len(_cells(row)) > 1 and all(cell.tag == "th" and cell.find(".//table") is None for cell in _cells(row))


def make_tables_of_roles(tree: _Element) -> None:
    """Tables that a page builds of other elements, and names so for those who hear it."""
    for table in list(tree.iter("div", "section", "ul", "dl")):
        if table.get("role") not in ("table", "grid", "treegrid") or table.find(".//*[@role='row']") is None:
            continue
        for element in table.iter("*"):
            if isinstance(element.tag, str) and (tag := _TAGS_OF_ROLES.get(element.get("role") or "")):
                element.tag = tag
                for name in ("rowspan", "colspan"):
                    if value := element.get(f"aria-{name}"):
                        element.set(name, value)


def _spread(rows: list[_Element], left: int) -> int:
    """Returns how many more cells may be made."""
    pending: dict[int, tuple[_Element, int]] = {}  # column → the cell that covers it, and for how many rows more
    for row in rows:
        cells = _cells(row)
        column = 0
        wide = len(cells) == 1 and not pending  # a title over the whole table is said once
        for cell in cells:
            column, left = _fill(row, cell, column, pending, left)
            across, down = (_span(cell, name) for name in ("colspan", "rowspan"))
            for name in ("colspan", "rowspan"):
                cell.attrib.pop(name, None)
            for step in range(across):
                if step and not wide and left > 0 and _may_be_repeated(cell):
                    cell.addnext(_copy(cell))
                    left -= 1
                if down > 1 and _may_be_repeated(cell):
                    pending[column + step] = (cell, down - 1)
            column += across
        _, left = _fill(row, None, column, pending, left)
    return left


def _fill(
    row: _Element, before: _Element | None, column: int, pending: dict[int, tuple[_Element, int]], left: int
) -> tuple[int, int]:
    """Put what reaches down from rows above into `row`, from `column` on, before the cell `before`."""
    while column in pending and left > 0:
        cell, rows = pending.pop(column)
        if rows > 1:
            pending[column] = (cell, rows - 1)
        if before is None:
            row.append(_copy(cell))
        else:
            before.addprevious(_copy(cell))
        column += 1
        left -= 1
    return column, left


def _heads(rows: list[_Element]) -> list[_Element]:
    """The rows of column names: those that are marked so, or two rows without a figure, the first with wide cells."""
    marked = []
    for row in rows:
        parent = row.getparent()
        is_head = parent is not None and parent.tag == "thead"
        if not _cells(row) or not (is_head or all(cell.tag == "th" for cell in _cells(row))):
            break
        marked.append(row)
    spans = [_span(cell, "colspan") for cell in _cells(rows[0])]
    if marked or len(rows) < 3 or len(spans) < 2 or max(spans) == 1:
        return marked
    figures = any(character.isdigit() for row in rows[:2] for character in "".join(row.itertext()))
    return [] if figures else rows[:2]


def _join(heads: list[_Element], rows: list[_Element]) -> None:
    """Make one row of two rows of column names: "Adulto" above "manhã" and "tarde" becomes "Adulto manhã" and so on."""
    if len(heads) < 2 or len(heads) == len(rows) or len({len(_cells(row)) for row in heads}) != 1:
        return
    *above, last = heads
    for place, cell in enumerate(_cells(last)):
        names = [one_line("".join(_cells(row)[place].itertext())) for row in heads]
        for child in list(cell):
            cell.remove(child)
        cell.text = " ".join(dict.fromkeys(filter(None, names)))
    for row in above:
        parent = row.getparent()
        if parent is not None:
            parent.remove(row)


def _cells(row: _Element) -> list[_Element]:
    return list(row.iterchildren("td", "th"))


def _span(cell: _Element, name: str) -> int:
    value = (cell.get(name) or "").strip()
    if name == "rowspan" and value == "0":  # to the end of the table
        return _MAX_SPAN
    return min(int(value), _MAX_SPAN) if value.isascii() and value.isdigit() and int(value[:9]) > 1 else 1


def _may_be_repeated(cell: _Element) -> bool:
    if next(cell.iter(*_LAYOUT), None) is not None:
        return False
    return len("".join(cell.itertext())) <= _MAX_COPIED_CHARS


def _copy(cell: _Element) -> _Element:
    made: _Element = cell.makeelement(cell.tag)
    made.text = one_line(" ".join(cell.itertext()))
    return made
