"""Formulas whose result is not stored in the file, as programs that write workbooks without computing them leave.

Plain arithmetic within a sheet is computed. What is more is shown as a formula that is not computed: a row without its
total, or with an older one, would be a false fact.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum, isfinite, prod
from typing import Any

from openpyxl.utils.cell import column_index_from_string

from aion_assets.core.parse.draft import Draft

MAX_COMPUTED_CELLS = 50_000  # of a sheet; larger ones are not held in memory
_MAX_STEPS = 2_000_000  # cells that the formulas of a sheet read, all in all
_MAX_DEPTH = 100  # of formulas that read other formulas, and of brackets
_MAX_FORMULA_CHARS = 200
_TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d*)?(?:E[+-]?\d+)?|\.\d+)|([A-Z][A-Z.]*)\(|\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?"
    r"|([-+*/^%(),;]))",
    re.IGNORECASE,
)
_Place = tuple[int, int]


class _UnknownError(Exception):
    """The formula is more than plain arithmetic, or reads something that is no number."""


@dataclass(slots=True)
class Shown:
    """A cell in the place of one without a result."""

    value: Any
    number_format: str


class Formulas:
    """Counts what it computed and what not, over all sheets of a workbook."""

    def __init__(self) -> None:
        self._computed = 0
        self._open = 0

    def remark(self, draft: Draft) -> None:
        if self._open:
            draft.note(f"{self._open} formulas without a stored result are not computed: open and save the workbook")
        if self._computed:
            draft.note(f"{self._computed} formulas had no stored result and were computed")

    def filled(self, rows: Iterable[tuple[Sequence[Any], Sequence[Any]]]) -> Iterator[list[Any]]:
        """The rows of a sheet, each given as its cells with results and the same cells with formulas."""
        held: list[tuple[Sequence[Any], Sequence[Any]]] = []
        cells = 0
        iterator = iter(rows)
        for pair in iterator:
            held.append(pair)
            cells += len(pair[0])
            if cells > MAX_COMPUTED_CELLS:
                break
        sheet = _Sheet(held if cells <= MAX_COMPUTED_CELLS else [])
        for number, pair in enumerate(held, 1):
            yield self._row(number, *pair, sheet)
        for number, pair in enumerate(iterator, len(held) + 1):
            yield self._row(number, *pair, sheet)

    def _row(self, number: int, cells: Sequence[Any], twins: Sequence[Any], sheet: "_Sheet") -> list[Any]:
        return [
            self._cell((number, column), cell, twins[column - 1] if column <= len(twins) else None, sheet)
            for column, cell in enumerate(cells, 1)
        ]

    def _cell(self, place: _Place, cell: Any, twin: Any, sheet: "_Sheet") -> Any:
        formula = _formula_of(cell, twin)
        if not formula:
            return cell
        try:
            value = sheet.value(place, 0)
            self._computed += 1
            return Shown(value, cell.number_format or "General")
        except _UnknownError:
            self._open += 1
            return Shown(f"{formula[:_MAX_FORMULA_CHARS]} (não calculado / not computed)", "General")


def _formula_of(cell: Any, twin: Any) -> str:
    if cell.value is not None or twin is None or twin.data_type != "f":
        return ""
    return str(getattr(twin.value, "text", twin.value) or "")


class _Sheet:
    """The values and formulas of a sheet by (row, column), from 1."""

    def __init__(self, rows: Sequence[tuple[Sequence[Any], Sequence[Any]]]) -> None:
        self._known: dict[_Place, Any] = {}
        self._formulas: dict[_Place, str] = {}
        self._begun: set[_Place] = set()
        self._left = _MAX_STEPS
        for number, (cells, twins) in enumerate(rows, 1):
            for column, cell in enumerate(cells, 1):
                if formula := _formula_of(cell, twins[column - 1] if column <= len(twins) else None):
                    self._formulas[number, column] = formula
                elif cell.value is not None:
                    self._known[number, column] = cell.value

    def value(self, place: _Place, depth: int) -> Any:
        """Raises _UnknownError."""
        self._left -= 1
        if place in self._known or place not in self._formulas:
            return self._known.get(place)
        if place in self._begun or depth > _MAX_DEPTH or self._left < 0:
            raise _UnknownError
        self._begun.add(place)  # one that reads itself, or that failed before, is not begun again
        found = _Reader(self._formulas[place].removeprefix("="), self, depth).result()
        self._known[place] = found
        return found

    def area(self, first: _Place, last: _Place, depth: int) -> list[Any]:
        rows, columns = range(first[0], last[0] + 1), range(first[1], last[1] + 1)
        if len(rows) * len(columns) > self._left:
            raise _UnknownError
        return [self.value((row, column), depth) for row in rows for column in columns]


class _Reader:
    """Computes one formula by recursive descent."""

    def __init__(self, formula: str, sheet: _Sheet, depth: int) -> None:
        self._tokens = self._split(formula)
        self._place = 0
        self._sheet = sheet
        self._depth = depth + 1
        self._brackets = 0

    @staticmethod
    def _split(formula: str) -> list[tuple[str, ...]]:
        tokens, place = [], 0
        formula = formula.rstrip()
        while place < len(formula):
            match = _TOKEN.match(formula, place)
            if match is None:  # texts, comparisons, other sheets, names
                raise _UnknownError
            tokens.append(tuple(group or "" for group in match.groups()))
            place = match.end()
        return tokens

    def result(self) -> float:
        found = self._sum()
        if self._place < len(self._tokens) or not isfinite(found):
            raise _UnknownError
        return round(found, 10)

    def _take(self, signs: str) -> str:
        if self._place < len(self._tokens) and (sign := self._tokens[self._place][-1]) and sign in signs:
            self._place += 1
            return sign
        return ""

    def _sum(self) -> float:
        found = self._product()
        while sign := self._take("+-"):
            found += self._product() * (1 if sign == "+" else -1)
        return found

    def _product(self) -> float:
        found = self._power()
        while sign := self._take("*/"):
            factor = self._power()
            if sign == "/" and factor == 0:
                raise _UnknownError
            found = found * factor if sign == "*" else found / factor
        return found

    def _power(self) -> float:
        found = self._signed()
        while self._take("^"):
            exponent = self._signed()
            if abs(exponent) > 100 or (found <= 0 and not exponent.is_integer()):
                raise _UnknownError
            found = float(found**exponent)
        return found

    def _signed(self) -> float:
        sign = 1
        while taken := self._take("+-"):
            sign = -sign if taken == "-" else sign
        found = sign * self._atom()
        while self._take("%"):
            found /= 100
        return found

    def _atom(self) -> float:
        if self._place >= len(self._tokens):
            raise _UnknownError
        if self._take("("):
            self._brackets += 1
            if self._brackets > _MAX_DEPTH:
                raise _UnknownError
            found = self._sum()
            self._close()
            return found
        number, function, *_ = self._tokens[self._place]
        if number:
            self._place += 1
            return float(number)
        if function:
            self._place += 1
            return self._call(function.upper())
        values = self._reference()
        if len(values) != 1:
            raise _UnknownError
        return _as_number(values[0])

    def _reference(self) -> list[Any]:
        _, _, column, row, to_column, to_row, _ = self._tokens[self._place]
        if not column:
            raise _UnknownError
        self._place += 1
        first = int(row), column_index_from_string(column)
        last = (int(to_row), column_index_from_string(to_column)) if to_column else first
        return self._sheet.area(first, last, self._depth)

    def _call(self, name: str) -> float:
        write = _FUNCTIONS.get(name)
        if write is None:
            raise _UnknownError
        arguments: list[list[Any]] = []
        while not self._take(")"):
            if self._place < len(self._tokens) and self._tokens[self._place][2] and self._ends_argument():
                arguments.append(self._reference())
            else:
                arguments.append([self._sum()])
            self._take(",;")
        try:
            return float(write(arguments))
        except (ValueError, IndexError, ZeroDivisionError, OverflowError) as error:
            raise _UnknownError from error

    def _ends_argument(self) -> bool:
        following = self._place + 1
        return following < len(self._tokens) and self._tokens[following][-1] in (",", ";", ")")

    def _close(self) -> None:
        if not self._take(")"):
            raise _UnknownError


def _as_number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _UnknownError
    return float(value)


def _numbers(arguments: list[list[Any]]) -> list[float]:
    return [float(v) for values in arguments for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]


def _rounded(arguments: list[list[Any]]) -> float:
    value, places = _as_number(arguments[0][0]), int(_as_number(arguments[1][0]))
    scale = 10.0**places
    return (abs(value) * scale + 0.5 + 1e-9) // 1 / scale * (1 if value >= 0 else -1)


_FUNCTIONS: dict[str, Callable[[list[list[Any]]], float]] = {
    "SUM": lambda arguments: fsum(_numbers(arguments)),
    "PRODUCT": lambda arguments: prod(_numbers(arguments)),
    "AVERAGE": lambda arguments: fsum(_numbers(arguments)) / len(_numbers(arguments)),
    "MIN": lambda arguments: min(_numbers(arguments)),
    "MAX": lambda arguments: max(_numbers(arguments)),
    "COUNT": lambda arguments: float(len(_numbers(arguments))),
    "ABS": lambda arguments: abs(_as_number(arguments[0][0])),
    "ROUND": _rounded,
}
