"""What of a passage can be quoted: a sentence, a row of a table, or a line that names something with what it names.

A list, numbered steps and a block of code follow the line that announces them as a whole. A row of a table stands below
the names of its columns.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from aion_assets.core.answer.labels import HEADING_CHARS, Names, is_field, is_label, names_of
from aion_assets.core.answer.pieces import (
    BOX,
    CLOSED,
    LIST_ITEM,
    NUMBERED,
    RECORD,
    ROW_GAP,
    Piece,
    mark_of,
    number_of,
    pieces_of,
    row_of,
    runs_of,
)
from aion_assets.core.language.fields import LEADERS, PRICED

MAX_QUOTE_CHARS = 400
# No passage is longer, so a list is never quoted in part (`core.index.chunker.MAX_CHARS`).
MAX_WHOLE_CHARS = 1200
# So many lines may follow one, a whole list counting as one. Without an end, a passage of single letters would take
# the cube of its length.
_MOST_FOLLOWED = 40
# A line that says what something is, such as one of contacts or of codes.
_ENTRY = re.compile(r"[^\s:–—][^:–—]{0,39}?(?: [-–—] |: )\S")
# A sentence that begins with a code names what the next one says of it: "A07 Oil pressure low. Check the oil."
_CODED = re.compile(r"[A-Z]{1,5}[-–./]?\d[\dA-Z-]*[:.]? +[A-ZÀ-Ý]")
# A sentence that has no subject of its own was announced itself.
_NO_SUBJECT = re.compile(r"(?:É|São|Era|Foi|Foram)\b")
# Without the sentence before, nobody knows what it speaks of. "Those who" and "This page" speak of no such thing.
_POINTS_BACK = re.compile(
    r"(?!Those who|(?:This|Est[ea]) (?:page|manual|guide|document|section|policy|página|guia|documento|seção|norma|"
    r"regulamento|edital|artigo|lei|decreto|contrato)\b|It (?:is|was) \w+ (?:to|that) )"
    r"(?:El[ea]s?|Isto|Isso|Est[ea]s?|Ess[ea]s?|Ta(?:l|is)|Its?|This|These|Those|Such|They|He|She)\b"
)
_REPLY = re.compile(r"(?:^|[?\n] ?)(?:sim|não|yes|no)[.!,]$", re.IGNORECASE)
# Signs of code, which may have blank lines between its lines.
_CODE = re.compile(r"[={}();<>$/\\]|(?:^|\s)--?\w|\s# ")
# Of those the ones that prose does not have: options, assignments, calls, comments.
_SURELY_CODE = re.compile(r"[{}\\]|\w ?=|\(\)|(?:^|\s)--?[a-z]|\s# ")
# Items of a list that is quoted whole have at most so many characters in the mean.
_MOST_ITEM_CHARS = 150


@dataclass(frozen=True, slots=True)
class Quotable:
    """`introduction`: its first line, where that names what follows. `section`: the heading above it in the passage,
    "" before the first one. `label`: what names it more narrowly (`core.answer.labels`).
    `steps`: it is a whole list or block of code. `row`: of a table, or a record of one. `whole`: it may not be
    shortened. `line`: the sentences of the line that it begins in.
    """

    text: str
    introduction: str = ""
    section: str = ""
    label: str = ""
    steps: bool = False
    row: bool = False
    whole: bool = False
    line: tuple[str, ...] = ()


def quotable(passage: str, repeats: Callable[[str], bool] = lambda sentence: False) -> Iterator[Quotable]:
    """A question, heading or line with a colon is quoted with what follows it. So is a sentence that only `repeats`
    what is asked, for it announces what the next one tells. One that points back, "Isso vale …", is quoted with the one
    before.

    Line breaks of the passage stay, unless they only wrap a line. Where rows stand between the names of the columns and
    the row that is quoted, ROW_GAP takes their place.
    """
    pieces = [*pieces_of(passage)]
    runs, lines = runs_of(pieces), _lines(pieces)
    for place, (piece, names) in enumerate(zip(pieces, names_of(pieces), strict=True)):
        run = runs.get(place, range(place, place + 1))
        if piece.is_row:
            if (row := row_of(pieces, run, place)) is not None:
                row = _below_its_record(row, place, names)
                yield Quotable(row, section=names.section, label=names.label, row=True, whole=True)
            continue
        if place and place == run.start and _is_quoted_whole(pieces, run) and _announces(pieces[place - 1]):
            above = pieces[place - 1]
            listed = _joined(pieces, range(place - 1, run.stop))
            yield Quotable(listed, above.text, names.section, names.label, steps=True, whole=True)
        if BOX.match(piece.text) and len(run) > 1:
            continue  # without the others nobody sees that it is not ticked
        if (found := _from(pieces, runs, place, repeats)) is not None:
            text = _below_its_record(_with_what_it_points_to(pieces, place, found.text), place, names)
            yield replace(found, text=text, section=names.section, label=names.label, line=lines[place])


def _below_its_record(text: str, place: int, names: Names) -> str:
    """An entry or a field below the line that says what it is one of."""
    gap = "\n" if names.at == place - 1 else ROW_GAP
    both = f"{names.record}{gap}{text}"
    return both if 0 <= names.at < place and len(both) <= MAX_QUOTE_CHARS else text


def _lines(pieces: Sequence[Piece]) -> list[tuple[str, ...]]:
    """Of every piece, the texts of its line."""
    starts = [place for place, piece in enumerate(pieces) if piece.begins_line] + [len(pieces)]
    lines = [tuple(piece.text for piece in pieces[start:end]) for start, end in pairwise(starts)]
    return [line for line in lines for _ in line]


def _from(
    pieces: Sequence[Piece], runs: dict[int, range], place: int, repeats: Callable[[str], bool]
) -> Quotable | None:
    """What begins at `place`, with all that belongs to it; None for what only names a table, whose rows stand alone."""
    piece, following, steps = pieces[place], place + 1, False
    if listed_below := _sublist(pieces, place):
        return Quotable(_joined(pieces, range(place, listed_below.stop)), piece.text, steps=True, whole=True)
    quoted, length = piece.text, len(piece.text)
    last, introduced = min(len(pieces), place + _MOST_FOLLOWED), _may_introduce(pieces, place)
    while following < last:
        upcoming = pieces[following]
        run = runs.get(following, range(following, following + 1))
        goes_on = _goes_on(quoted, upcoming, introduced=introduced) or _goes_on_from_code(quoted, piece, upcoming)
        goes_on = goes_on or _names_the_rest(pieces, place, quoted, upcoming)
        goes_on = goes_on or (quoted == piece.text and _announces_the_next(piece, upcoming, repeats))
        code = upcoming.gap == "\n" and _is_code(pieces[following - 1]) and _is_code(upcoming)
        goes_on = goes_on or code
        if not goes_on or (_ends_code(piece) and upcoming.gap.count("\n") > 1):
            break
        if upcoming.is_row:
            return None
        ends = run.stop if run.start == following and _is_quoted_whole(pieces, run) else following + 1
        added = _joined(pieces, range(following, ends))
        listed = code or ends > following + 1 or _colon_above(quoted)
        if length + len(added) > (MAX_WHOLE_CHARS if listed else MAX_QUOTE_CHARS):
            break
        steps = steps or listed
        quoted += ("\n" if "\n" in upcoming.gap else " ") + added
        length, following = len(quoted), ends
        if ends - run.start > 1:
            break
    above = piece.text if following > place + 1 else ""
    return Quotable(quoted, above, steps=steps, row=RECORD.match(quoted) is not None, whole=steps)


def _may_introduce(pieces: Sequence[Piece], place: int) -> bool:
    """Not an item of a list, a record, one of several entries or the last line of a paragraph, which name nothing below
    them. A line with a number that stands alone is a heading.
    """
    piece = pieces[place]
    if piece.is_item:
        near = (*pieces[max(0, place - 1) : place], *pieces[place + 1 : place + 2])
        alone = not any(other.is_item for other in near) and len(piece.text) < HEADING_CHARS
        return alone and NUMBERED.match(piece.text) is not None and not CLOSED.search(piece.text)
    ends_paragraph = place + 1 < len(pieces) and pieces[place + 1].gap.count("\n") > 1
    if RECORD.match(piece.text) or LEADERS.search(piece.text) or is_field(pieces, place):
        return False
    if (piece.gap == "\n" and ends_paragraph) or _is_priced_row(pieces, place):
        return False
    below = place + 1 < len(pieces) and pieces[place + 1].gap == "\n" and _ENTRY.match(pieces[place + 1].text)
    above = place > 0 and piece.gap == "\n" and _ENTRY.match(pieces[place - 1].text)
    return not (_ENTRY.match(piece.text) and (below or above)) or piece.text.endswith((":", "?"))


def _is_priced_row(pieces: Sequence[Piece], place: int) -> bool:
    """Whether it and the piece below it are rows of a list of prices."""
    rows = pieces[place : place + 2]
    return len(rows) == 2 and all(PRICED.search(row.text) and not row.text.endswith((":", "?")) for row in rows)


def _goes_on_from_code(quoted: str, piece: Piece, upcoming: Piece) -> bool:
    """Whether `quoted` is one sentence that begins with a code, and `upcoming` follows it on the same line, or below it
    without a code of its own.
    """
    if quoted != piece.text or not _CODED.match(quoted) or len(quoted) >= HEADING_CHARS or upcoming.is_item:
        return False
    return not upcoming.begins_line or (upcoming.gap == "\n" and not _CODED.match(upcoming.text))


def _names_the_rest(pieces: Sequence[Piece], place: int, quoted: str, upcoming: Piece) -> bool:
    """Whether `quoted` is a label or ends with a bare yes or no, which the next sentence of its line explains."""
    if upcoming.begins_line:
        return False
    return _REPLY.search(quoted) is not None or (quoted == pieces[place].text and is_label(pieces, place))


def _with_what_it_points_to(pieces: Sequence[Piece], place: int, text: str) -> str:
    """`text`, which begins at `place`, behind the sentence that its first word points back to, if both fit a quote."""
    piece = pieces[place]
    if not place or piece.begins_line or not _POINTS_BACK.match(piece.text) or pieces[place - 1].is_item:
        return text
    both = f"{pieces[place - 1].text} {text}"
    return both if len(both) <= MAX_QUOTE_CHARS else text


def _announces_the_next(piece: Piece, upcoming: Piece, repeats: Callable[[str], bool]) -> bool:
    """Whether `upcoming` is the next sentence of the line, and tells what `piece` only says that there is."""
    announced = _NO_SUBJECT.match(piece.text) or _POINTS_BACK.match(piece.text)
    return not upcoming.begins_line and announced is None and repeats(piece.text)


def _is_quoted_whole(pieces: Sequence[Piece], run: range) -> bool:
    """Whether a list belongs to the line above it. One of paragraphs is read paragraph by paragraph, and one that does
    not begin with its first item was announced elsewhere.
    """
    items = [pieces[at] for at in run]
    if len(items) < 2 or not items[0].is_item or (number_of(items[0].text) or 1) > 1:
        return False
    return sum(len(item.text) for item in items) <= _MOST_ITEM_CHARS * len(items)


def _sublist(pieces: Sequence[Piece], place: int) -> range | None:
    """The items of a list within an item, which have another mark than that: "II – respeitar: a) …; b) …"."""
    piece, stop = pieces[place], place + 1
    if not piece.is_item or not piece.text.endswith(":"):
        return None
    length = len(piece.text)
    while stop < len(pieces) and pieces[stop].is_item and mark_of(pieces[stop].text) != mark_of(piece.text):
        length += len(pieces[stop].text) + 1
        stop += 1
    return range(place + 1, stop) if stop > place + 2 and length <= MAX_WHOLE_CHARS else None


def _announces(piece: Piece) -> bool:
    """Whether a sentence may announce the list below it although it ends with a full stop."""
    return not (piece.is_item or piece.is_row) and bool(CLOSED.search(piece.text)) and len(piece.text) < MAX_QUOTE_CHARS


def _joined(pieces: Sequence[Piece], places: range) -> str:
    text = pieces[places.start].text
    for place in places[1:]:
        text += ("\n" if "\n" in pieces[place].gap else " ") + pieces[place].text
    return text


def _colon_above(quoted: str) -> bool:
    return any(line.endswith(":") for line in quoted.split("\n"))


def _goes_on(quoted: str, upcoming: Piece, introduced: bool) -> bool:
    """Whether `upcoming` belongs to `quoted`, which stands before it."""
    gap, line = upcoming.gap, upcoming.text
    if "\n" not in gap and line.endswith("?") and len(quoted) < HEADING_CHARS:
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
    return gap == "\n" and bool(LIST_ITEM.match(line)) == bool(LIST_ITEM.match(last))


def _goes_on_as_code(last: str, line: str) -> bool:
    return _CODE.search(line) is not None and not CLOSED.search(last) and not CLOSED.search(line)


def _is_code(piece: Piece) -> bool:
    """Whether it is a line of code wherever it stands."""
    alone = piece.begins_line and not (piece.is_item or piece.is_row or RECORD.match(piece.text))
    return alone and _SURELY_CODE.search(piece.text) is not None and not CLOSED.search(piece.text)


def _ends_code(piece: Piece) -> bool:
    """Whether it is a further line of some code, which names nothing of what is below."""
    return piece.gap == "\n" and _CODE.search(piece.text) is not None and not piece.text.endswith((":", "?"))


def _introduces(text: str) -> bool:
    last_line = text.rsplit("\n", 1)[-1].strip()
    return last_line.endswith(("?", ":")) or (len(text) < HEADING_CHARS and not CLOSED.search(last_line))
