"""Raised and lowered figures as plain text: 10⁶ must not become 106, nor H₂O lose its form.

One spelling for all file types: `10^6`, `m²`, `10_2`, `1º`. Marks of footnotes stay out of numbers.
"""

import re

_POWERS = str.maketrans("23", "²³")
_EXPONENT = re.compile(r"[-−–+]?(?:\d+(?:[.,/]\d+)?|[nk](?:\s*[-−–+]\s*\d+)?|[a-z])")
_SYMBOL = re.compile(r"(?:^|[^\W\d_]{0}[^\w]|[\d_])([^\W\d_]{1,2})$")  # a unit or a variable, not a word
_ORDINAL = {"o": "º", "º": "º", "°": "º", "a": "ª", "ª": "ª", "os": "ºs", "as": "ªs"}
_ORDINAL_BASE = re.compile(r"(?:\d|\b[nN])\.?$")
_FIGURES = re.compile(r"[\[(]?[\d*†‡,\s]{1,7}[\])]?")
_ONE_TERM = re.compile(r"[^\W_]+(?:[.,]\d+)?|.")


def raised(before: str, text: str, is_note: bool = False) -> str:
    """What to write for the raised `text` that stands directly after `before`. `is_note`: it leads to a footnote."""
    mark = text.strip()
    base = before[-8:]
    if not mark:
        return text
    if mark in _ORDINAL and _ORDINAL_BASE.search(base):
        return _ORDINAL[mark] + text[len(text.rstrip()) :]
    if is_note:
        return mark if mark.startswith(("[", "(")) or not _FIGURES.fullmatch(mark) else ""
    follows_number = base[-1:].isdigit() or base.endswith((")", "]", "}"))
    if follows_number:
        return power(mark) if _EXPONENT.fullmatch(mark) else (f" {mark}" if mark[:1].isdigit() else mark)
    if not _EXPONENT.fullmatch(mark):
        return text
    if _SYMBOL.search(base):
        return mark.translate(_POWERS) if mark in ("2", "3") else power(mark)
    if base[-1:].isalpha():  # a figure raised at the end of a word calls a footnote
        return "" if mark.isdigit() else text
    return power(mark) if base.strip() and not base[-1:].isspace() and not mark.isdigit() else text


def lowered(before: str, text: str) -> str:
    """What to write for the lowered `text` that stands directly after `before`."""
    mark = text.strip()
    return f"_{mark}" if mark and before[-1:].isdigit() and mark[:1].isalnum() else text


def power(exponent: str) -> str:
    return f"^{grouped(exponent)}"


def fraction(above: str, below: str) -> str:
    return f"{grouped(above)}/{grouped(below)}"


def grouped(term: str) -> str:
    """`term` in parentheses where it is more than one number or name."""
    term = term.strip()
    bare = term.lstrip("-−–+")
    return term if _ONE_TERM.fullmatch(bare) or (term[:1] == "(" and term[-1:] == ")") else f"({term})"
