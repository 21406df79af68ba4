"""Conditions of Lance's SQL."""

from collections.abc import Iterable


def is_in(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def both(one: str, other: str) -> str:
    """Both conditions joined by AND; either may be empty."""
    return f"{one} AND {other}" if one and other else one or other


def quoted(value: str) -> str:
    """A string literal of Lance's SQL."""
    return "'" + value.replace("'", "''") + "'"
