"""Parts of a law, statute or contract: articles and clauses, and the paragraphs, items and letters below them."""

import re

from aion_assets.core.language.number_words import roman_number
from aion_assets.core.language.terms import fold

_UNITS = ("primeir", "segund", "terceir", "quart", "quint", "sext", "setim", "oitav", "non")
_TENS = ("decim", "vigesim", "trigesim")
# "3º", "terceiro", "décima segunda", of a folded text.
_ORDINAL = (
    rf"(\d{{1,3}}(?:[oa°]\b|\b(?![.,/]\d))|(?:(?:{'|'.join(_TENS)})[oa][ -])?(?:{'|'.join(_UNITS)})[oa]\b"
    rf"|(?:{'|'.join(_TENS)})[oa]\b|unic[oa]\b)"
)
_ROMAN = r"([ivxlc]{1,7})"
# Numbers of sections, "4.2.3". An amount has three digits after the point.
_SECTION = r"(\d{1,2}(?:\.\d{1,2}){1,3})(?![\d,]|\.\d)"
# As a folded question names them, and as they begin a folded line.
_KINDS = {
    "§": (
        re.compile(rf"(?:§+|\bparagrafo) {{0,2}}{_ORDINAL}"),
        re.compile(rf"^(?:§|paragrafo) {{0,2}}{_ORDINAL}", re.M),
    ),
    "cláusula": (re.compile(rf"\bclausula {_ORDINAL}"), re.compile(rf"^clausula {_ORDINAL}", re.M)),
    "inciso": (re.compile(rf"\binciso {_ROMAN}\b"), re.compile(rf"^{_ROMAN} {{0,2}}[-–—.)]", re.M)),
    "alínea": (re.compile(r"\b(?:alinea|letra) [\"'“”‘’]?([a-z])\b"), re.compile(r"^([a-z])\)", re.M)),
    "": (re.compile(rf"(?<![\d.,$]){_SECTION}"), re.compile(rf"^{_SECTION}", re.M)),
}
_NAMED_BY_A_NUMBER = (_KINDS["§"][0], _KINDS["cláusula"][0])
_ARTICLE = re.compile(
    r"(?:art(?:igo|icle)?\b\.? {0,3}(?:n[.º°o]* {0,3})?\d{1,4}(?:-[a-z]\b)?(?![\d,/])"
    r"|cl(?:á|a)usula {1,3}(?:\d{1,3}|[a-zé]+[ãa] [a-z]+a\b|[a-zéú]+a\b)|clause {1,3}\d{1,3}\b)",
    re.IGNORECASE,
)


def article_of(line: str) -> str:
    """The article or clause that a line begins, such as "Art. 12" of "Art. 12. O uso obedece …"; else ""."""
    found = _ARTICLE.match(line)
    return found[0] if found else ""


def with_article(heading: str, article: str) -> str:
    """The heading of what begins within an article, "" for none."""
    return ", ".join(filter(None, (heading, article)))


def without_article(heading: str) -> str:
    """A heading before `with_article`."""
    outer, comma, last = heading.rpartition(", ")
    article = last if comma else heading
    return outer if article and article_of(article) == article else heading


def named_provisions(question: str) -> frozenset[str]:
    """What a question names beside an article: "§ 3º" is "§ 3", "inciso IV" "inciso 4", "item 4.2" "4.2"."""
    text = fold(question)
    return frozenset(_name(kind, found) for kind, (asked, _) in _KINDS.items() for found in asked.findall(text))


def provisions_in(text: str) -> frozenset[str]:
    """Those that begin a line of a text. What a line refers to does not count."""
    folded = fold(text)
    return frozenset(_name(kind, found) for kind, (_, begun) in _KINDS.items() for found in begun.findall(folded))


def without_provisions(question: str) -> str:
    """A folded question without those that are named by a number of one word, which may be any number elsewhere."""
    text = fold(question)
    for asked in _NAMED_BY_A_NUMBER:
        text = asked.sub(" ", text)
    return text


def _name(kind: str, found: str) -> str:
    if kind == "inciso":
        return f"inciso {roman_number(found)}"
    return f"{kind} {_value(found)}".strip() if kind in ("§", "cláusula") else f"{kind} {found}".strip()


def _value(ordinal: str) -> str:
    """In digits: "3o" and "terceira" are "3", "decima segunda" is "12"; "unico" stays."""
    if ordinal[0].isdigit():
        return ordinal.rstrip("oa°")
    words = [word[:-1] for word in re.split(r"[ -]", ordinal)]
    if words == ["unic"]:
        return "unico"
    return str(sum(10 * (_TENS.index(word) + 1) if word in _TENS else _UNITS.index(word) + 1 for word in words))
