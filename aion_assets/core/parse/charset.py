"""Bytes of unknown encoding to text."""

import codecs
import re

from aion_assets.core.fetch.media import charset_name

# Enough for the detector's statistics, whose time grows with the sample.
_SAMPLE_BYTES = 65_536
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPES = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"))
_PORTUGUESE = set("áàâãéêíóôõúüçÁÀÂÃÉÊÍÓÔÕÚÜÇªº°§´–—“”‘’•…\xa0")
# In encodings of Central Europe these are letters and stand beside other letters: "³adn±" was "ładną".
_SIGN = re.compile(r"(?:(?<=m)[²³]|®|(?<![^\W\d_])[²³¼½¾±×÷©])(?![^\W\d_])")
_NASAL_ENDING = re.compile("ç[ãõ]", re.IGNORECASE)  # "ção" and "ções" mark Portuguese
_FOREIGN_SHARE = 0.2  # share of accents not Portuguese: names of a few people and places
_HIGH = re.compile(r"[^\x00-\x7f]")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,100}encoding\s*=\s*[\"']([\w.:-]+)")
# Browsers read these names as their Windows supersets, and pages rely on it.
_SUPERSETS = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030"}


def decode(body: bytes, declared: str = "") -> str:
    """Text of `body` by byte order mark, valid UTF-8, declared encoding or statistics, in this order. Never fails."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    if wide := _wide_encoding(body):
        return body.decode(wide, "replace")
    # ISO-2022 has 7 bits and would pass for ASCII.
    stateful = [encoding for escape, encoding in _ESCAPES if escape in body[:_SAMPLE_BYTES]]
    for encoding in (*stateful, "utf-8", _python_name(declared)):
        if encoding and (text := _strict(body, encoding)) is not None:
            return text
    if (text := _strict(body, "cp1252")) is not None and _reads_as_portuguese(text):
        return text
    return body.decode(_guess(body), "replace")


def declared_in_markup(body: bytes) -> str:
    """The encoding that an HTML or XML document declares in its first bytes, or ""."""
    head = body[:4096]
    found = _XML_ENCODING.search(head) or _META_CHARSET.search(head)
    return found.group(1).decode("ascii", "ignore") if found else ""


def declared_in_content_type(content_type: str) -> str:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", content_type, re.IGNORECASE)
    return found.group(1) if found else ""


def _python_name(declared: str) -> str:
    name = charset_name(declared)
    return _SUPERSETS.get(name, name)


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError):  # LookupError: a codec such as "hex" that is not for text
        return None


def _wide_encoding(body: bytes) -> str:
    """UTF-16 or UTF-32 without a mark, recognised by the zero bytes of Latin characters; "" otherwise."""
    sample = body[:4096]
    sample = sample[: len(sample) // 4 * 4]
    if len(sample) < 8 or b"\0" not in sample:
        return ""
    zeros = [sample[lane::4].count(0) / (len(sample) // 4) for lane in range(4)]
    patterns = {
        "utf-32-le": (0, 1, 1, 1),
        "utf-32-be": (1, 1, 1, 0),
        "utf-16-le": (0, 1, 0, 1),
        "utf-16-be": (1, 0, 1, 0),
    }
    for encoding, pattern in patterns.items():
        if all(share > 0.7 if expected else share < 0.3 for share, expected in zip(zeros, pattern, strict=True)):
            return encoding
    return ""


def _reads_as_portuguese(text: str) -> bool:
    """Whether Latin-1 gives Portuguese: statistics take short Portuguese in it for Turkish or Polish."""
    high = _HIGH.findall(_SIGN.sub("", text))
    foreign = sum(character not in _PORTUGUESE for character in high)
    allowed = _FOREIGN_SHARE * len(high) if _NASAL_ENDING.search(text) else 0
    return foreign <= allowed and len(high) <= 0.25 * sum(map(str.isalpha, text))


def _guess(body: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(body[:_SAMPLE_BYTES]).best()
    return _SUPERSETS.get(best.encoding, best.encoding) if best else "cp1252"
