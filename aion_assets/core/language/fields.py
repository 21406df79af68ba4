"""Lines of a form that was filled in, such as "Valor pedido (R$): 17.450,00", and the one that says whose it is."""

import re
from collections import Counter

from aion_assets.core.language.terms import fold

# A label of the form, then its value.
FIELD = re.compile(r"([^\W\d_][^:;.!?|\n]{0,59}?)(?:: | \| )(?=\S)([^|\n]*)")
# A field behind another one on its line.
_FURTHER = re.compile(r"\s[^\W\d_]\w{2,}: ")
# Dots that lead from a name to its value: "Cópia colorida A4 ........ 2,10".
LEADERS = re.compile(r"(?:\.{4,}|…{2,}|(?:\. ){4,})\s*\S")
# A price behind what it is for: "Plotagem A1 colorida R$ 17,50".
PRICED = re.compile(r"(?<=[^\s:]) (?:(?:R\$|[€£$]) ?\d|\d+,\d\d\b)")
_NAMING = re.compile(
    r"\b(?:nome|titulo do projeto|razao social|denominacao|projeto|paciente|alun[oa]|cliente|requerente|funcionari[oa]|"
    r"empregad[oa]|animal|equipamento|imovel|name|project title|project|patient|student|customer|client|employee|"
    r"applicant|equipment|property)\b"
)
# A form has so many lines, and says early whose it is.
_FEWEST, _EARLY = 5, 6
_HEAD_CHARS = 3000
_NAME_CHARS = 60


def is_naming(label: str) -> bool:
    """Whether a field of this label says whose record it is."""
    return _NAMING.search(fold(label)) is not None


def named_by_form(text: str) -> str:
    """Whose form a document is, by its first such field, "" where it is none: a list of records has several of them."""
    lines = text[:_HEAD_CHARS].split("\n")
    fields = [(match[1], _FURTHER.split(match[2])[0].strip()) for line in lines if (match := FIELD.match(line))]
    if len(fields) < _FEWEST:
        return ""
    often = Counter(label for label, _ in fields)
    for label, value in fields[:_EARLY]:
        if is_naming(label):
            return value if often[label] == 1 and len(value) <= _NAME_CHARS and not value.endswith(".") else ""
    return ""
