"""What of a passage can be quoted: a sentence, a row of a table, or a line that names something with what it names.

A list, numbered steps and a block of code follow the line that announces them as a whole. A row of a table stands below
the names of its columns.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aion_assets.core.language.sentences import sentence_spans

MAX_QUOTE_CHARS = 400
# No passage is longer, so a list is never quoted in part (`core.index.chunker.MAX_CHARS`).
MAX_WHOLE_CHARS = 1200
# A line without a full stop that is shorter than this is a heading or label: it names what follows and asserts nothing.
_HEADING_CHARS = 80
_CLOSED = re.compile(r"""[.!…]["'”’»)\]]*$""")
# So many lines may follow one, a whole list counting as one. Without an end, a passage of single letters would take
# the cube of its length.
_MOST_FOLLOWED = 40
_LIST_ITEM = re.compile(r"[-–•*] |(?:\d{1,2}|[a-z])[.)] |[IVXLC]{1,7} ?[-–—.)] ")
_NUMBERED = re.compile(r"(\d{1,2})[.)] ")
_ROMAN = re.compile(r"([IVXLC]{1,7}) ?[-–—.)] ")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
# A line that says what something is, such as one of contacts or of codes, and a record of a long table.
_ENTRY = re.compile(r"[^\s:–—][^:–—]{0,39}?(?: [-–—] |: )\S")
_RECORD = re.compile(r"[^:;]{1,60}: [^;]*; [^:;]{1,60}: ")
# A sentence that begins with a code names what the next one says of it: "A07 Oil pressure low. Check the oil."
_CODED = re.compile(r"[A-Z]{1,5}[-–./]?\d[\dA-Z-]*[:.]? +[A-ZÀ-Ý]")
# Signs of code, which may have blank lines between its lines.
_CODE = re.compile(r"[={}();<>$/\\]|(?:^|\s)--?\w")
_BAR = " | "
_NAME_CHARS = 40
# Names that columns have. Elsewhere the first row is one of names only where figures stand below words.
_COLUMN_NAMES = frozenset(
    "sigla siglas significado termo termos definição definicao nome descrição descricao item código codigo data valor "
    "preço preco tipo prazo cargo setor dia horário horario name term meaning definition description type value price "
    "date code item unit acronym abbreviation plan option default field".split()
)
ROW_GAP = "\n…\n"


@dataclass(frozen=True, slots=True)
class Quotable:
    """`introduction`: its first line, where that names what follows. `section`: the heading above it in the passage,
    "" before the first one. `steps`: it is a whole list or block of code. `whole`: it may not be shortened.
    """

    text: str
    introduction: str = ""
    section: str = ""
    steps: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, a whole item of a list or a row of a table, and what stands before it in the passage."""

    text: str
    gap: str

    @property
    def is_item(self) -> bool:
        return _LIST_ITEM.match(self.text) is not None

    @property
    def begins_line(self) -> bool:
        return not self.gap or "\n" in self.gap

    @property
    def is_row(self) -> bool:
        return _BAR in self.text


def quotable(passage: str) -> Iterator[Quotable]:
    """A question, heading or line with a colon is quoted with what follows it.

    Line breaks of the passage stay, unless they only wrap a line. Where rows stand between the names of the columns and
    the row that is quoted, ROW_GAP takes their place.
    """
    pieces = [*_pieces(passage)]
    runs = _runs(pieces)
    section = ""
    for place, piece in enumerate(pieces):
        if _is_heading(pieces, place):
            section = piece.text
        run = runs.get(place, range(place, place + 1))
        if piece.is_row:
            if (row := _row(pieces, run, place)) is not None:
                yield Quotable(row, section=section, whole=True)
            continue
        if piece.is_item and place == run.start and len(run) > 1 and place and _announces(pieces[place - 1]):
            above = pieces[place - 1]
            yield Quotable(_joined(pieces, range(place - 1, run.stop)), above.text, section, steps=True, whole=True)
        if (found := _from(pieces, runs, place, section)) is not None:
            yield found


def _from(pieces: Sequence[_Piece], runs: dict[int, range], place: int, section: str) -> Quotable | None:
    """What begins at `place`, with all that belongs to it; None for what only names a table, whose rows stand alone."""
    piece, following, steps = pieces[place], place + 1, False
    quoted, length = piece.text, len(piece.text)
    last, introduced = min(len(pieces), place + _MOST_FOLLOWED), _may_introduce(pieces, place)
    while following < last:
        upcoming = pieces[following]
        run = runs.get(following, range(following, following + 1))
        goes_on = _goes_on(quoted, upcoming, introduced=introduced) or _goes_on_from_code(quoted, piece, upcoming)
        if not goes_on or (_ends_code(piece) and upcoming.gap.count("\n") > 1):
            break
        if upcoming.is_row:
            return None
        ends = run.stop if run.start == following and len(run) > 1 else following + 1
        added = _joined(pieces, range(following, ends))
        listed = ends > following + 1 or _colon_above(quoted)
        if length + len(added) > (MAX_WHOLE_CHARS if listed else MAX_QUOTE_CHARS):
            break
        steps = steps or listed
        quoted += ("\n" if "\n" in upcoming.gap else " ") + added
        length, following = len(quoted), ends
        if ends - run.start > 1:
            break
    return Quotable(quoted, piece.text if following > place + 1 else "", section, steps, whole=steps)


def _pieces(passage: str) -> Iterator[_Piece]:
    """Items of lists and rows of tables may hold several sentences."""
    spans = sentence_spans(passage)
    gaps = ["", *(passage[before[1] : after[0]] for before, after in pairwise(spans))]
    text = gap = ""
    for (start, end), before in zip(spans, gaps, strict=True):
        line = " ".join(passage[start:end].split())
        if (
            text
            and "\n" not in before
            and (_LIST_ITEM.match(text) or _BAR in text or _BAR in line or _RECORD.match(text))
        ):
            text += " " + line
            continue
        if text:
            yield _Piece(text, gap)
        text, gap = line, before
    if text:
        yield _Piece(text, gap)


def _runs(pieces: Sequence[_Piece]) -> dict[int, range]:
    """Place → the list or table that the piece there is of."""
    runs: dict[int, range] = {}
    for place, piece in enumerate(pieces):
        if not (piece.is_item or piece.is_row):
            continue
        before = runs.get(place - 1)
        start = before.start if before and _same_run(pieces[place - 1], piece) else place
        for member in range(start, place + 1):
            runs[member] = range(start, place + 1)
    return runs


def _same_run(one: _Piece, other: _Piece) -> bool:
    if one.is_row != other.is_row:
        return False
    if other.gap.count("\n") == 1:
        return True
    first, second = _number(one.text), _number(other.text)
    return first is not None and second == first + 1


def _number(text: str) -> int | None:
    """Of an item of a numbered list."""
    if found := _NUMBERED.match(text):
        return int(found[1])
    if found := _ROMAN.match(text):
        digits = [*map(_ROMAN_DIGITS.__getitem__, found[1])]
        return sum(-one if one < following else one for one, following in pairwise([*digits, 0]))
    return None


def _row(pieces: Sequence[_Piece], run: range, place: int) -> str | None:
    """A row below the names of its columns; None for the names themselves."""
    rows = [pieces[at].text.split(_BAR) for at in run]
    if not _has_names(rows):
        return pieces[place].text
    if place == run.start:
        return None
    return (pieces[run.start].text + ("\n" if place == run.start + 1 else ROW_GAP)) + pieces[place].text


def _has_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it is short words that a column is called by, or words over figures."""
    if len(rows) < 2 or len(rows[0]) < 2 or len({*rows[0]}) < len(rows[0]):
        return False
    names = [cell.strip() for cell in rows[0]]
    if any(len(name) > _NAME_CHARS or _CLOSED.search(name) for name in names):
        return False
    if sum(name.lower() in _COLUMN_NAMES for name in names) > 1 or names[0].lower() in _COLUMN_NAMES:
        return True
    for column, name in enumerate(names):
        below = [row[column] for row in rows[1:] if column < len(row)]
        figures = sum(any(char.isdigit() for char in cell) for cell in below)
        if name and not any(char.isdigit() for char in name) and below and figures > len(below) / 2:
            return not any(any(char.isdigit() for char in other) for other in names)
    return False


def _is_heading(pieces: Sequence[_Piece], place: int) -> bool:
    """Whether the piece stands alone on a line between blank lines, and names what is below."""
    piece = pieces[place]
    if piece.is_item or piece.is_row or len(piece.text) >= _HEADING_CHARS or _CLOSED.search(piece.text):
        return False
    alone = place == 0 or piece.gap.count("\n") > 1
    return alone and place + 1 < len(pieces) and pieces[place + 1].gap.count("\n") > 1 and not piece.text.endswith(":")


def _may_introduce(pieces: Sequence[_Piece], place: int) -> bool:
    """Not an item of a list, a record or one of several entries, which name nothing below them. A line with a number
    that stands alone is a heading.
    """
    piece = pieces[place]
    if piece.is_item:
        near = (*pieces[max(0, place - 1) : place], *pieces[place + 1 : place + 2])
        alone = not any(other.is_item for other in near) and len(piece.text) < _HEADING_CHARS
        return alone and _NUMBERED.match(piece.text) is not None and not _CLOSED.search(piece.text)
    if _RECORD.match(piece.text):
        return False
    below = place + 1 < len(pieces) and pieces[place + 1].gap == "\n" and _ENTRY.match(pieces[place + 1].text)
    above = place > 0 and piece.gap == "\n" and _ENTRY.match(pieces[place - 1].text)
    return not (_ENTRY.match(piece.text) and (below or above)) or piece.text.endswith((":", "?"))


def _goes_on_from_code(quoted: str, piece: _Piece, upcoming: _Piece) -> bool:
    """Whether `quoted` is one sentence that begins with a code, and `upcoming` follows it on the same line, or below it
    without a code of its own.
    """
    if quoted != piece.text or not _CODED.match(quoted) or len(quoted) >= _HEADING_CHARS or upcoming.is_item:
        return False
    return not upcoming.begins_line or (upcoming.gap == "\n" and not _CODED.match(upcoming.text))


def _announces(piece: _Piece) -> bool:
    """Whether a sentence may announce the list below it although it ends with a full stop."""
    return (
        not (piece.is_item or piece.is_row) and bool(_CLOSED.search(piece.text)) and len(piece.text) < MAX_QUOTE_CHARS
    )


def _joined(pieces: Sequence[_Piece], places: range) -> str:
    text = pieces[places.start].text
    for place in places[1:]:
        text += ("\n" if "\n" in pieces[place].gap else " ") + pieces[place].text
    return text


def _colon_above(quoted: str) -> bool:
    return any(line.endswith(":") for line in quoted.split("\n"))


def _goes_on(quoted: str, upcoming: _Piece, introduced: bool) -> bool:
    """Whether `upcoming` belongs to `quoted`, which stands before it."""
    gap, line = upcoming.gap, upcoming.text
    if "\n" not in gap and line.endswith("?") and len(quoted) < _HEADING_CHARS:
        return True  # "I lost my password. What now?" is one question, and is quoted with its answer
    *above, last = quoted.split("\n")
    if not introduced and not last.endswith(("?", ":")):
        return False  # an item of a list names nothing
    # A label names its own paragraph. Another paragraph is another subject.
    if above and gap.count("\n") > 1 and not last.endswith(("?", ":")):
        return any(one.endswith(":") for one in above) and gap.count("\n") == 2 and _goes_on_as_code(last, line)
    if not any(one.endswith(":") for one in above):
        return _introduces(quoted)
    # A list or code follows the line that announces it.
    return gap == "\n" and bool(_LIST_ITEM.match(line)) == bool(_LIST_ITEM.match(last))


def _goes_on_as_code(last: str, line: str) -> bool:
    return _CODE.search(line) is not None and not _CLOSED.search(last) and not _CLOSED.search(line)


def _ends_code(piece: _Piece) -> bool:
    """Whether it is a further line of some code, which names nothing of what is below."""
    return piece.gap == "\n" and _CODE.search(piece.text) is not None and not piece.text.endswith((":", "?"))


def _introduces(text: str) -> bool:
    last_line = text.rsplit("\n", 1)[-1].strip()
    return last_line.endswith(("?", ":")) or (len(text) < _HEADING_CHARS and not _CLOSED.search(last_line))
