"""Struck-out text does not hold any more: consolidated laws keep revoked wording on the page that way.

It is left out, with a remark. Otherwise an answer would quote the opposite of what holds.
"""

import re

REMARK = "struck-out text is left out"
_LABEL = re.compile(
    r"\s*((?:Art(?:igo)?s?\.?\s*\d+(?:[.-]?\w{1,3})?\s*[ºo°]?\.?|§+\s*\d+\s*[ºo°]?\.?|Parágrafo único\.?"
    r"|[IVXLC]+\s*[-–—]|\d+(?:\.\d+)*[.)]|[a-z]\))(?:\s*[-–—])?)(?=\s|$)",
    re.IGNORECASE,
)


def kept_label(struck: str, following: str) -> str:
    """The number of the clause, "Art. 3º ", where only a remark such as "(Revogado …)" is left of it; "" otherwise."""
    label = _LABEL.match(struck)
    return f"{label.group(1)} " if label and following.lstrip().startswith(("(", "[")) else ""
