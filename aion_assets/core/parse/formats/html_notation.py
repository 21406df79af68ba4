"""Raised and lowered figures and formulas (MathML) of a page, rewritten as text before the page is read."""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from lxml.etree import _Element, strip_tags

from aion_assets.core.parse.formats import notation

# Becomes text in one pass at the end: joined one by one, texts would be copied again and again.
_PLAIN = "plain"
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_NOTE_NAMES = re.compile(r"foot-?note|(?:^|[\s_-])(?:fn|ref|reference|nota)(?:$|[\s_-]|\d)", re.IGNORECASE)
_TEX_CLASSES = frozenset(("tex", "latex", "texrender"))
_UNSEEN = frozenset(("annotation", "annotation-xml", "mphantom", "none", "mprescripts"))
_INLINE = frozenset(("span", "b", "strong", "i", "em", "font", "a", "u"))
_MAX_INLINE = 4
_MAX_DEPTH = 60  # of a formula; deeper parts are written in a row


def write_notation(tree: _Element) -> None:
    """Replace `sup`, `sub` and `math` by text that says the same in one line."""
    for formula in list(tree.iter("math")):
        _replace(formula, _line(formula))
    for formula in list(tree.iter("script", "img")):
        _replace_tex(formula)
    for element in list(tree.iter("sup", "sub")):
        text = "".join(element.itertext())
        before = _text_before(element)
        written = (
            notation.raised(before, text, _calls_note(element))
            if element.tag == "sup"
            else notation.lowered(before, text)
        )
        if written == text:
            element.tag = _PLAIN  # what is inside may be a link or code
        else:
            _replace(element, written)
    strip_tags(tree, _PLAIN)


def _replace(element: _Element, text: str) -> None:
    """Make `element` a piece of plain text. A wrapper that hides a formula behind a picture of it shows it again."""
    tail = element.tail
    wrappers = [above for above in islice(element.iterancestors(), 2) if above.tag == "span"]
    for wrapper in wrappers if element.tag == "math" else ():
        if _HIDDEN.search(wrapper.get("style") or ""):
            del wrapper.attrib["style"]
    element.clear()
    element.tag, element.text, element.tail = _PLAIN, text, tail


def _replace_tex(element: _Element) -> None:
    """A formula in TeX: in a script for MathJax, or beside the picture that was made of it."""
    if element.tag == "script" and (element.get("type") or "").startswith("math/tex"):
        _replace(element, f" {(element.text or '').strip()} ")
    elif element.tag == "img" and not _TEX_CLASSES.isdisjoint((element.get("class") or "").lower().split()):
        _replace(element, f" {(element.get('alt') or '').strip().strip('$').strip()} ")


def _text_before(element: _Element, depth: int = 0) -> str:
    """The end of the text right before `element`, as far as it belongs to the same line."""
    previous = element.getprevious()
    if previous is not None:
        if previous.tail:
            return str(previous.tail)
        return "" if previous.tag == "br" else "".join(previous.itertext())
    parent = element.getparent()
    if parent is None or parent.text:
        return str(parent.text) if parent is not None else ""
    return _text_before(parent, depth + 1) if parent.tag in _INLINE and depth < _MAX_INLINE else ""


def _calls_note(element: _Element) -> bool:
    if next(element.iter("a"), None) is not None or next(element.iterancestors("a"), None) is not None:
        return True
    return bool(_NOTE_NAMES.search(f"{element.get('class') or ''} {element.get('id') or ''}"))


def _line(element: _Element, depth: int = 0) -> str:
    """A formula in one line: `x = (a + b)/c`."""
    tag = element.tag.rpartition(":")[2] if isinstance(element.tag, str) else ""
    if not tag or tag in _UNSEEN:
        return ""
    if depth > _MAX_DEPTH:
        return "".join(element.itertext())
    if tag == "mo":
        return _operator("".join(element.itertext()).strip())
    if not len(element):
        return " ".join((element.text or "").split()) if tag != "mspace" else " "
    parts = [_line(child, depth + 1).strip() for child in element if isinstance(child.tag, str)]
    write = _FORMS.get(tag)
    if write is not None and len(parts) >= 2:
        return write(parts)
    if tag == "msqrt":
        return f"√{notation.grouped(''.join(_spaced(element, depth)))}"
    if tag == "mtr":
        return " ".join(filter(None, parts))
    if tag in ("mtable", "mfenced"):
        return f"({'; '.join(filter(None, parts))})"
    if tag == "semantics":
        return parts[0] if parts else ""
    return "".join(_spaced(element, depth))


def _spaced(element: _Element, depth: int) -> Iterator[str]:
    yield (element.text or "").strip()
    for child in element:
        yield _line(child, depth + 1)
        yield (child.tail or "").strip()


def _operator(sign: str) -> str:
    if sign in ("\u2061", "\u2062", "\u2063", "\u2064"):  # application, times, comma and plus that nobody sees
        return "" if sign != "\u2062" else "·"
    return sign if sign in "()[]{}|!,.′″°%" else f" {sign} "


def _power(parts: list[str]) -> str:
    return f"{notation.grouped(parts[0])}{notation.power(parts[1])}"


_FORMS: dict[str, Callable[[list[str]], str]] = {
    "msup": _power,
    "msub": lambda parts: f"{parts[0]}_{notation.grouped(parts[1])}",
    "msubsup": lambda parts: f"{parts[0]}_{notation.grouped(parts[1])}{notation.power(parts[-1])}",
    "mfrac": lambda parts: notation.fraction(parts[0], parts[1]),
    "mroot": lambda parts: f"√[{parts[1]}]{notation.grouped(parts[0])}",
    "mover": lambda parts: parts[0] if len(parts[1]) == 1 else f"{parts[0]}^{notation.grouped(parts[1])}",
    "munder": lambda parts: f"{parts[0]}_{notation.grouped(parts[1])}",
    "munderover": lambda parts: f"{parts[0]}_{notation.grouped(parts[1])}{notation.power(parts[-1])}",
}
