"""The value of a cell as the sheet shows it: 0.075 in the format `0.0%` is 7,5%.

Formats follow ECMA-376, part 1, 18.8.30 and 18.8.31. The decimal sign is that of the workbook's language, because a
file does not store it: a comma in Portuguese.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise
from typing import Any

_MONTHS = {
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro".split(),
    "en": "January February March April May June July August September October November December".split(),
}
_DAYS = {
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}
_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*.|\[\$([^\]-]*)(?:-[^\]]*)?\]|(\[(?:h+|m+|s+)\])|\[[^\]]*\]'
    r"|(AM/PM|A/P)|(y+|m+|d+|h+|s+|\.0+(?=\D|$)|e+)|([0#?][0#?,.]*(?:E[+-]0+)?)|(.)",
    re.IGNORECASE | re.DOTALL,
)
_LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DATE_SIGNS = re.compile(r"[ymdhs]|AM/PM", re.IGNORECASE)
_FRACTION = re.compile(r"[#0?]+\s*[#0?]*/")
_MAX_FORMAT_CHARS = 500
_GENERAL_DIGITS = 11
_SHORT_DATES = (
    "mm-dd-yy",
    "m/d/yy",
    "m/d/yyyy",
    "mm/dd/yy",
)  # of the program's own, which every language shows its way


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is "pt" or "en"."""

    code: str

    @property
    def decimal(self) -> str:
        return "," if self.code == "pt" else "."

    @property
    def thousands(self) -> str:
        return "." if self.code == "pt" else ","


def shown(value: Any, number_format: str, language: Language) -> str:
    """The text that a cell shows. Values of unknown kinds are written as they are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return {"pt": ("FALSO", "VERDADEIRO"), "en": ("FALSE", "TRUE")}[language.code][value]
    sections = _sections((number_format or "General")[:_MAX_FORMAT_CHARS])
    if isinstance(value, (datetime, date, time, timedelta)):
        return _moment(value, sections[0], language)
    if isinstance(value, (int, float)):
        return _number(value, sections, language)
    return str(value)


@lru_cache(maxsize=500)
def _sections(number_format: str) -> tuple[str, ...]:
    """The parts for positive, negative and zero numbers, and for text."""
    literal = _LITERALS.sub(lambda match: "\0" * len(match.group()), number_format)
    cuts = [-1, *(place for place, sign in enumerate(literal) if sign == ";"), len(number_format)]
    return tuple(number_format[start + 1 : end] for start, end in pairwise(cuts))


def _number(value: float, sections: tuple[str, ...], language: Language) -> str:
    try:
        number = Decimal(repr(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    section = sections[0]
    if number < 0 and len(sections) > 1 and sections[1].strip():
        section, number = sections[1], -number  # such a part writes the sign, or brackets, itself
    elif number == 0 and len(sections) > 2 and sections[2].strip():
        section = sections[2]
    bare = _LITERALS.sub("", section)
    if "general" in section.lower() or "@" in bare:
        return _general(number, language)
    if not re.search(r"[0#?]", bare):
        literal = _write(section, "", language)
        return literal if literal.strip(" -") else _general(number, language)
    if _FRACTION.search(bare) or "E+" in bare.upper() or "E-" in bare.upper():
        return _general(number, language)
    return _write(section, _digits(number, bare, language), language)


def _digits(number: Decimal, bare: str, language: Language) -> str:
    """`number` with the decimals, the groups and the scale that the signs of a format ask for."""
    number *= 100 ** bare.count("%")
    pattern = re.sub(r"[^0#?,.]", "", bare)
    if not number and "0" not in pattern:
        return ""
    whole, _, decimals = pattern.partition(".")
    # A comma that no digit follows divides by a thousand, also behind the decimals.
    scale = sum(len(part) - len(part.rstrip(",")) for part in (whole, decimals))
    number /= Decimal(1000) ** scale
    decimals = decimals.replace(",", "")
    places = len(decimals)
    rounded = abs(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    digits, _, rest = f"{rounded:f}".partition(".")
    optional = len(decimals) - len(decimals.rstrip("#?"))
    while optional and rest.endswith("0"):
        rest, optional = rest[:-1], optional - 1
    digits = digits.zfill(whole.count("0"))
    if "," in whole.rstrip(","):
        digits = f"{int(digits):,}".replace(",", language.thousands).zfill(whole.count("0"))
    sign = "-" if number < 0 and rounded else ""
    return sign + digits + (language.decimal + rest if rest else "")


def _general(number: Decimal, language: Language) -> str:
    if number == number.to_integral_value():
        return f"{number:.0f}"
    rounded = f"{float(number):.{_GENERAL_DIGITS}g}"
    if "e" in rounded:
        rounded = f"{number:f}"[:20]
    return rounded.replace(".", language.decimal)


def _write(section: str, digits: str, language: Language) -> str:
    """The literal parts of a format with `digits` in the place of its number."""
    tokens = [match.groups() for match in _TOKEN.finditer(section)]
    places = [number for *_, number, _ in tokens if number is not None]
    masked = len(places) > 1 and digits.lstrip("-").isdigit()
    shares = iter(_mask(digits.lstrip("-"), places) if masked else [digits])
    pieces = []
    for quoted, escaped, currency, _, _, letters, number, other in tokens:
        pieces.append(
            next(shares, "") if number is not None else quoted or escaped or currency or letters or other or ""
        )
    text = " ".join("".join(pieces).split())
    if digits.startswith("-"):
        text = "-" + text.replace("-", "", 0 if masked else 1)
    return text


def _mask(digits: str, places: list[str]) -> list[str]:
    """The digits for each group of a mask such as `000.000.000-00`, filled from the right."""
    digits = digits.zfill(sum(place.count("0") for place in places))
    shares: list[str] = []
    for place in reversed(places[1:]):
        width = len(place)
        digits, share = digits[:-width], digits[-width:]
        shares.append(share)
    return [digits, *reversed(shares)]


def _moment(value: Any, section: str, language: Language) -> str:
    bare = _LITERALS.sub("", section)
    if isinstance(value, timedelta):
        return _duration(value)
    if bare.lower() in _SHORT_DATES and isinstance(value, datetime):
        return _plain_moment(value.date(), language)
    if not _DATE_SIGNS.search(bare) or "general" in section.lower():
        return _plain_moment(value, language)
    tokens = [_date_token(match) for match in _TOKEN.finditer(section)]
    twelve = any(kind == "noon" for kind, _ in tokens)
    signs = [text[0] if kind == "date" else "" for kind, text in tokens]
    pieces = []
    for place, (kind, text) in enumerate(tokens):
        if kind == "date":
            minute = text[0] == "m" and _is_minute(signs, place)
            pieces.append(_date_part(value, "i" * len(text) if minute else text, twelve, language))
        elif kind == "noon":
            pieces.append("AM" if getattr(value, "hour", 0) < 12 else "PM")
        else:
            pieces.append(text)
    return " ".join("".join(pieces).split())


def _date_token(match: re.Match[str]) -> tuple[str, str]:
    quoted, escaped, currency, clock, noon, letters, number, other = match.groups()
    if noon:
        return "noon", noon
    if sign := (clock or letters or "").strip("[]").lower():
        return ("text", "") if sign[0] == "." else ("date", sign)  # fractions of a second
    return "text", quoted or escaped or currency or number or other or ""


def _is_minute(signs: list[str], place: int) -> bool:
    """Whether an m stands for minutes: after an hour or before a second."""
    before = next((sign for sign in reversed(signs[:place]) if sign), "")
    after = next((sign for sign in signs[place + 1 :] if sign), "")
    return before == "h" or after == "s"


def _date_part(value: Any, sign: str, twelve: bool, language: Language) -> str:
    hour, minute, second = (getattr(value, name, 0) for name in ("hour", "minute", "second"))
    if sign[0] in "his":
        number = {"h": (hour - 1) % 12 + 1 if twelve else hour, "i": minute, "s": second}[sign[0]]
        return f"{number:0{min(len(sign), 2)}d}"
    if not isinstance(value, date):
        return ""  # a time of day has no date
    if sign[0] in "ye":
        return f"{value.year % 100:02d}" if len(sign) <= 2 and sign[0] == "y" else str(value.year)
    number, names = (value.month, _MONTHS) if sign[0] == "m" else (value.day, _DAYS)
    if len(sign) <= 2:
        return f"{number:0{len(sign)}d}"
    name = names[language.code][number - 1 if names is _MONTHS else value.weekday()]
    return name[:3] if len(sign) == 3 else name[:1] if len(sign) == 5 else name


def _plain_moment(value: Any, language: Language) -> str:
    if isinstance(value, time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    day = value.strftime("%d/%m/%Y") if language.code == "pt" else value.strftime("%Y-%m-%d")
    if isinstance(value, datetime) and value.time() != time.min:
        return f"{day} {value:%H:%M:%S}" if value.second else f"{day} {value:%H:%M}"
    return day


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    text = f"{hours}:{rest // 60:02d}" + (f":{rest % 60:02d}" if rest % 60 else "")
    return f"-{text}" if seconds < 0 else text
