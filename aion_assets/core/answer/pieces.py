"""A passage in pieces: sentences, items of lists, rows of tables and records, and which of them belong together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aion_assets.core.language.number_words import roman_number
from aion_assets.core.language.sentences import sentence_spans

CLOSED = re.compile(r"""[.!…]["'”’»)\]]*$""")
LIST_ITEM = re.compile(r"[-–•*] |[☐☑☒✓✔✗] ?(?=\S)|\[[ xX]\] |(?:\d{1,2}|[a-z])[.)] |[IVXLC]{1,7} ?[-–—.)] ")
# To be ticked, or ticked.
BOX = re.compile(r"[☐☑☒]|\[[ xX]\] ")
NUMBERED = re.compile(r"(\d{1,2})[.)] ")
_ROMAN = re.compile(r"([IVXLC]{1,7}) ?[-–—.)] ")
_BAR = " | "
_NAME_CHARS = 40
# Names that columns have. Elsewhere the first row is one of names only where figures stand below words.
_COLUMN_NAMES = frozenset(
    "sigla siglas significado termo termos definição definicao nome descrição descricao item código codigo data valor "
    "preço preco tipo prazo cargo setor dia horário horario campo coluna função funcao opção opcao padrão padrao "
    "parâmetro parametro comando serviço servico local endereço endereco telefone ramal responsável responsavel e-mail "
    "situação situacao quantidade unidade exemplo name term meaning definition description type value price date code "
    "item unit acronym abbreviation plan option default field column key parameter command service place address phone "
    "extension owner status quantity example role team".split()
) | {"o que é", "o que faz", "what it is", "what it does"}
_YEAR = re.compile(r"(?:19|20)\d\d")
# Letters for each digit that a figure may have: "30 min", "R$ 5,00", "10h às 17h".
_UNIT_LETTERS = 2
ROW_GAP = "\n…\n"
# A record of a long table.
RECORD = re.compile(r"[^:;]{1,60}: [^;]*; [^:;]{1,60}: ")


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, a whole item of a list or a row of a table, and what stands before it in the passage."""

    text: str
    gap: str

    @property
    def is_item(self) -> bool:
        return LIST_ITEM.match(self.text) is not None

    @property
    def begins_line(self) -> bool:
        return not self.gap or "\n" in self.gap

    @property
    def is_row(self) -> bool:
        return _BAR in self.text


def pieces_of(passage: str) -> Iterator[Piece]:
    """Items of lists and rows of tables may hold several sentences."""
    spans = sentence_spans(passage)
    gaps = ["", *(passage[before[1] : after[0]] for before, after in pairwise(spans))]
    text = gap = ""
    for (start, end), before in zip(spans, gaps, strict=True):
        line = " ".join(passage[start:end].split())
        if (
            text
            and "\n" not in before
            and (LIST_ITEM.match(text) or _BAR in text or _BAR in line or RECORD.match(text))
        ):
            text += " " + line
            continue
        if text:
            yield Piece(text, gap)
        text, gap = line, before
    if text:
        yield Piece(text, gap)


def runs_of(pieces: Sequence[Piece]) -> dict[int, range]:
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


def _same_run(one: Piece, other: Piece) -> bool:
    if one.is_row != other.is_row:
        return False
    if other.gap.count("\n") == 1 or (BOX.match(one.text) and BOX.match(other.text)):
        return True
    first, second = number_of(one.text), number_of(other.text)
    return first is not None and second == first + 1


def mark_of(text: str) -> str:
    """The kind of mark that an item of a list has: a sign, "1", "I" or "a"."""
    found = LIST_ITEM.match(text)
    mark = found[0].rstrip(" .)–—-") if found else ""
    if mark.isdigit():
        return "1"
    return ("I" if mark.isupper() else "a") if mark.isalpha() else text[:1]


def number_of(text: str) -> int | None:
    """Of an item of a numbered list."""
    if found := NUMBERED.match(text):
        return int(found[1])
    if found := _ROMAN.match(text):
        return roman_number(found[1])
    return None


def row_of(pieces: Sequence[Piece], run: range, place: int) -> str | None:
    """A row below the names of its columns; None for the names themselves."""
    rows = [pieces[at].text.split(_BAR) for at in run]
    if not _has_names(rows):
        # The names of a table that goes on in the next passage.
        alone = len(rows) == 1 and len(rows[0]) > 1 and all(map(_is_name, rows[0]))
        return None if alone else pieces[place].text
    if place == run.start:
        return None
    return (pieces[run.start].text + ("\n" if place == run.start + 1 else ROW_GAP)) + pieces[place].text


def stands_below_names(pieces: Sequence[Piece], run: range | None) -> bool:
    """Whether a run of rows begins with the names of its columns."""
    return run is not None and _has_names([pieces[at].text.split(_BAR) for at in run])


def _has_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: it is short words that a column is called by, or words over figures."""
    if len(rows) < 2 or len(rows[0]) < 2 or len({*rows[0]}) < len(rows[0]):
        return False
    names = [cell.strip() for cell in rows[0]]
    if any(len(name) > _NAME_CHARS or CLOSED.search(name) for name in names):
        return False
    known = sum(map(_is_name, names))
    # Names below each other are those of a record: "Nome | Ana", "Cargo | Diretora".
    if known > 1 or (_is_name(names[0]) and not any(_is_name(row[0]) for row in rows[1:])):
        return True
    columns = [[row[column] for row in rows[1:] if column < len(row)] for column in range(len(names))]
    if len(names) > 1 and all(map(_YEAR.fullmatch, names[1:])):
        return not any(_YEAR.fullmatch(cell.strip()) for column in columns[1:] for cell in column)
    over_figures = any(
        name and not _has_digit(name) and sum(map(_has_digit, below)) > len(below) / 2
        for name, below in zip(names, columns, strict=True)
    )
    return over_figures and not any(map(_is_figure, names))


def _is_name(cell: str) -> bool:
    return cell.strip().lower() in _COLUMN_NAMES


def _has_digit(cell: str) -> bool:
    return any(char.isdigit() for char in cell)


def _is_figure(cell: str) -> bool:
    """Whether it is a number with its unit rather than words with a number, such as "Half day (4 h)" or "Grupo 1"."""
    digits, letters = (sum(map(kind, cell)) for kind in (str.isdigit, str.isalpha))
    return digits > 0 and letters <= _UNIT_LETTERS * digits
