"""Numbers in words and in Roman digits. "One" is left out: it is an article in Portuguese, and a pronoun in English."""

import re
from itertools import pairwise

from aion_assets.core.language.terms import fold

_VALUES = {
    word: str(value)
    for value, words in {
        2: "dois duas two", 3: "tres three", 4: "quatro four", 5: "cinco five", 6: "seis six", 7: "sete seven",
        8: "oito eight", 9: "nove nine", 10: "dez ten", 11: "onze eleven", 12: "doze twelve", 13: "treze thirteen",
        14: "quatorze catorze fourteen", 15: "quinze fifteen", 16: "dezesseis sixteen", 17: "dezessete seventeen",
        18: "dezoito eighteen", 19: "dezenove nineteen", 20: "vinte twenty", 30: "trinta thirty",
        40: "quarenta forty", 50: "cinquenta fifty", 60: "sessenta sixty", 70: "setenta seventy",
        80: "oitenta eighty", 90: "noventa ninety", 100: "cem cento hundred", 1000: "mil thousand",
    }.items()
    for word in words.split()
}  # fmt: skip
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_SPELLED_OUT = re.compile(rf"\b(?:{'|'.join(_VALUES)})\b")


def spelled_out(text: str) -> frozenset[str]:
    """The numbers in words, in digits: "três" is "3"."""
    return frozenset(_VALUES[word] for word in _SPELLED_OUT.findall(fold(text)))


def roman_number(digits: str) -> int:
    """The value of Roman digits up to C, "xiv" or "XIV"."""
    values = [_ROMAN_DIGITS[digit] for digit in digits.upper()]
    return sum(-one if one < following else one for one, following in pairwise([*values, 0]))
