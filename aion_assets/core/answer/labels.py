"""What names a piece of a passage: the heading above it, the article that it stands in, the record that it is a field
of, or the words with which its paragraph begins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from aion_assets.core.answer.pieces import CLOSED, RECORD, Piece, runs_of, stands_below_names
from aion_assets.core.language.fields import FIELD, LEADERS, is_naming
from aion_assets.core.language.provisions import article_of

# A line without a full stop that is shorter than this is a heading or label: it names what follows and asserts nothing.
HEADING_CHARS = 80
# A few words with a full stop at the beginning of a paragraph name what it is about: "Roof. The slates are replaced."
# What begins with an article or a pronoun is a sentence.
_LABEL = re.compile(
    r"(?!(?:[OA]s?|Uma?|El[ea]s?|Isso|Isto|Ess[ea]s?|Est[ea]s?|Há|É|São|Foi|Não|Sim|Se|The|An|It|He|She|They|We|You|I|"
    r"This|That|There|Do|No|Yes)\b)[A-ZÀ-Ý](?:[^\W\d]|['’])*(?:[ -][^\W\d][\w'’-]*){0,3}(?: \([^()]{1,20}\))?\."
)
_FIELD_CHARS = 160
_FEWEST_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Names:
    """`section`: the heading above a piece in the passage, "" before the first one. `label`: a narrower name. `record`:
    the line that says what the piece is an entry or a field of, and `at` its place.
    """

    section: str
    label: str
    record: str = ""
    at: int = -1


def names_of(pieces: Sequence[Piece]) -> list[Names]:
    """Of every piece."""
    named: list[Names] = []
    fields = _blocks(pieces) | _records(pieces)
    section = label = article = ""
    for place, piece in enumerate(pieces):
        if is_heading(pieces, place):
            section, article = piece.text, ""
        begun = article_of(piece.text) if piece.begins_line else ""
        if piece.begins_line:
            label = piece.text.rstrip(".") if is_label(pieces, place) else ""
            article = begun or article
        narrower = "" if piece.begins_line else label
        at = fields.get(place, -1)
        record = pieces[at].text if at >= 0 else ""
        named.append(Names(section, narrower or ("" if begun else article), record, at))
    return named


def is_heading(pieces: Sequence[Piece], place: int) -> bool:
    """Whether the piece stands alone on a line between blank lines, and names what is below."""
    piece = pieces[place]
    if piece.is_item or piece.is_row or len(piece.text) >= HEADING_CHARS or CLOSED.search(piece.text):
        return False
    if RECORD.match(piece.text) or LEADERS.search(piece.text) or is_field(pieces, place):
        return False  # one record names nothing of the next
    alone = place == 0 or piece.gap.count("\n") > 1
    return alone and place + 1 < len(pieces) and pieces[place + 1].gap.count("\n") > 1 and not piece.text.endswith(":")


def is_label(pieces: Sequence[Piece], place: int) -> bool:
    """Whether it begins a line, is a few words or a question, and what it names follows on the same line."""
    text = pieces[place].text
    goes_on = place + 1 < len(pieces) and not pieces[place + 1].begins_line
    return goes_on and pieces[place].begins_line and (text.endswith("?") or _LABEL.fullmatch(text) is not None)


def is_field(pieces: Sequence[Piece], place: int) -> bool:
    """Whether it is a line of a form: at least so many stand below each other."""
    if not _may_be_field(pieces, place):
        return False
    first, last = place, place
    while first > 0 and place - first < _FEWEST_FIELDS and _may_be_field(pieces, first - 1):
        first -= 1
    while last + 1 < len(pieces) and last - place < _FEWEST_FIELDS and _may_be_field(pieces, last + 1):
        last += 1
    return last - first + 1 >= _FEWEST_FIELDS


def _may_be_field(pieces: Sequence[Piece], place: int) -> bool:
    piece = pieces[place]
    if piece.is_item or len(piece.text) > _FIELD_CHARS or RECORD.match(piece.text) or piece.text.count(" | ") > 1:
        return False
    alone = piece.begins_line and (place + 1 == len(pieces) or pieces[place + 1].begins_line)
    return alone and FIELD.match(piece.text) is not None


def _records(pieces: Sequence[Piece]) -> dict[int, int]:
    """Place of a field → that of the field that says whose record it is of, but for that one itself."""
    found: dict[int, int] = {}
    runs = runs_of(pieces)
    naming, key = -1, ""
    waiting: list[int] = []
    for place in range(len(pieces)):
        if not is_field(pieces, place) or stands_below_names(pieces, runs.get(place)):
            naming, key, waiting = -1, "", []
            continue
        match = FIELD.match(pieces[place].text)
        name = match[1] if match else ""
        if name == key or (not key and is_naming(name)):
            naming, key = place, name
            found |= dict.fromkeys(waiting, naming)
            waiting = []
        elif naming >= 0:
            found[place] = naming
        else:
            waiting.append(place)
    return found


def _blocks(pieces: Sequence[Piece]) -> dict[int, int]:
    """Place of a line → that of the first of its paragraph, where that names a thing and the others are its entries."""
    found: dict[int, int] = {}
    starts = [place for place, piece in enumerate(pieces) if not place or piece.gap.count("\n") > 1] + [len(pieces)]
    for start, end in pairwise(starts):
        head, entries = pieces[start], pieces[start + 1 : end]
        names_them = len(head.text) < HEADING_CHARS and not CLOSED.search(head.text) and not _is_entry(head)
        if names_them and all(one.begins_line for one in entries) and sum(map(_is_entry, entries)) > 1:
            found |= dict.fromkeys(range(start + 1, end), start)
    return found


def _is_entry(piece: Piece) -> bool:
    if piece.is_item or piece.is_row or RECORD.match(piece.text):
        return False
    return LEADERS.search(piece.text) is not None or FIELD.match(piece.text) is not None
