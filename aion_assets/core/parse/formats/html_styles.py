"""The looks of a page that change what it says: struck out, raised, lowered.

They come from attributes, from the page's own style sheets, and from classes that common style sheets have. No other
sheet is fetched. Of CSS only what names elements by tag, class, id, attribute and place is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element

STRUCK, RAISED, LOWERED = "struck", "raised", "lowered"
_STRUCK_STYLE = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_DECORATION = re.compile(r"text-decoration(?:-line)?\s*:", re.IGNORECASE)
_VERTICAL = re.compile(r"vertical-align\s*:\s*(super|sub|[-+]?[\d.]+(?:px|pt|em|ex|rem|%))", re.IGNORECASE)
_MOVED = re.compile(r"(?<![\w-])(top|bottom)\s*:\s*(-?)\s*(?=[\d.]*[1-9])[\d.]+(?:px|pt|em|ex|rem|%)", re.IGNORECASE)
_RELATIVE = re.compile(r"position\s*:\s*relative", re.IGNORECASE)
# Of Tailwind, Bootstrap, Bulma and of editors. "hover:line-through" is another class.
_STRUCK_CLASS = re.compile(
    r"(?:text-(?:decoration-)?|has-|is-|texto?-)?(?:line-?through|strike-?through|striked?|struck(?:-out)?|tachad[oa]|"
    r"riscad[oa])",
    re.IGNORECASE,
)
_INLINE = frozenset(("span", "font", "small", "b", "strong", "i", "em", "a", "u"))
_MAX_MARK_CHARS = 12  # of raised or lowered text; more of it is a layout

_RULE = re.compile(r"([^{}]{1,2000})\{([^{}]*)\}")
_NOT_RULES = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_COMPOUND = re.compile(r"([a-z]\w*|\*)?((?:[.#][\w-]+|\[[\w-]+(?:[~|^$*]?=[^\]]*)?\])*)", re.IGNORECASE)
_PART = re.compile(r"([.#])([\w-]+)|\[([\w-]+)(?:([~|^$*]?=)[\"']?([^\]\"']*)[\"']?)?\]")
_COMBINED = re.compile(r"\s*(>)\s*|\s+")
_MAX_STYLE_CHARS = 500_000
_MAX_SELECTORS = 300
_MAX_COMPOUNDS = 6
_MAX_DEPTH = 100  # of ancestors that a selector is looked up in


def looks(tree: _Element) -> dict[_Element, str]:
    """STRUCK, RAISED or LOWERED of every element that is so by itself, in the order of the page."""
    sheets = _Sheets(tree)
    found: dict[_Element, str] = {}
    for element in tree.iter("*"):
        if not isinstance(element.tag, str):
            continue
        style = element.get("style") or ""
        is_struck = _STRUCK_STYLE.search(style) or any(
            map(_STRUCK_CLASS.fullmatch, (element.get("class") or "").split())
        )
        if is_struck or (not _DECORATION.search(style) and sheets.strike(element)):
            found[element] = STRUCK
        elif look := _height(element, style) or sheets.height(element):
            found[element] = look
    return found


def _height(element: _Element, style: str) -> str:
    """Whether these declarations raise or lower `element`."""
    if not style or element.tag not in _INLINE or len("".join(element.itertext()).strip()) > _MAX_MARK_CHARS:
        return ""
    if vertical := _VERTICAL.search(style):
        value = vertical[1].lower()
        if value.startswith("-") or value == "sub":
            return LOWERED
        return RAISED if value == "super" or float(re.sub(r"[^\d.]|\.$", "", value) or 0) else ""
    moved = _MOVED.search(style) if _RELATIVE.search(style) else None
    return (RAISED if (moved[1].lower() == "top") == (moved[2] == "-") else LOWERED) if moved else ""


@dataclass(frozen=True, slots=True)
class _Compound:
    """`p.old[lang=pt]`. `is_child`: what stands left of it in the selector is its parent, not just above it."""

    tag: str
    parts: tuple[tuple[str, str, str, str, str], ...]
    is_child: bool

    def is_(self, element: _Element) -> bool:
        return self.tag in ("", "*", element.tag) and all(_has(element, part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Rule:
    """`compounds` from right to left."""

    compounds: tuple[_Compound, ...]
    style: str

    @property
    def weight(self) -> tuple[int, int, int]:
        """Of two rules the heavier holds: ids, then classes and attributes, then tags."""
        signs = [sign for compound in self.compounds for sign, *_ in compound.parts]
        tags = sum(compound.tag not in ("", "*") for compound in self.compounds)
        return signs.count("#"), len(signs) - signs.count("#"), tags

    def matches(self, element: _Element) -> bool:
        """The nearest that may be meant is taken for each part of the selector."""
        right, *others = self.compounds
        if not right.is_(element):
            return False
        above: _Element | None = element
        for left in others:
            above = above.getparent() if above is not None else None
            steps = 0
            while above is not None and not right.is_child and not left.is_(above) and steps < _MAX_DEPTH:
                above, steps = above.getparent(), steps + 1
            if above is None or not left.is_(above):
                return False
            right = left
        return True


class _Sheets:
    """The page's own style sheets, as far as they strike out, raise or lower."""

    def __init__(self, tree: _Element) -> None:
        rules = list(_rules(tree))
        self._decorations = [rule for rule in rules if _DECORATION.search(rule.style)]
        self._strikes = [rule for rule in self._decorations if _STRUCK_STYLE.search(rule.style)]
        self._heights = [rule for rule in rules if _VERTICAL.search(rule.style) or _RELATIVE.search(rule.style)]

    def strike(self, element: _Element) -> bool:
        if not any(rule.matches(element) for rule in self._strikes):
            return False
        holds = max((rule.weight, place) for place, rule in enumerate(self._decorations) if rule.matches(element))
        return bool(_STRUCK_STYLE.search(self._decorations[holds[1]].style))

    def height(self, element: _Element) -> str:
        if element.tag not in _INLINE:
            return ""
        return next(filter(None, (_height(element, rule.style) for rule in self._heights if rule.matches(element))), "")


def _rules(tree: _Element) -> Iterator[_Rule]:
    left, count = _MAX_STYLE_CHARS, 0
    for style in tree.iter("style"):
        sheet = _NOT_RULES.sub(" ", (style.text or "")[:left])
        left -= len(sheet)
        for selectors, declarations in _RULE.findall(sheet):
            if not any(kind.search(declarations) for kind in (_DECORATION, _VERTICAL, _RELATIVE)):
                continue
            for selector in selectors.split(","):
                compounds = _compounds(selector.strip())
                if compounds and count < _MAX_SELECTORS:
                    count += 1
                    yield _Rule(compounds, declarations)


def _compounds(selector: str) -> tuple[_Compound, ...]:
    """From right to left; () where it holds more than is read here: states such as ":hover", siblings."""
    found: list[_Compound] = []
    is_child, place = False, 0
    while place < len(selector):
        compound = _COMPOUND.match(selector, place)
        if compound is None or not compound[0] or len(found) == _MAX_COMPOUNDS:
            return ()
        found.append(_Compound((compound[1] or "").lower(), tuple(_PART.findall(compound[2])), is_child))
        combined = _COMBINED.match(selector, compound.end())
        if combined is None and compound.end() < len(selector):
            return ()
        place = combined.end() if combined else len(selector)
        is_child = bool(combined and combined[1])
    return tuple(reversed(found))


def _has(element: _Element, part: tuple[str, str, str, str, str]) -> bool:
    sign, name, attribute, relation, value = part
    if sign == ".":
        return name in (element.get("class") or "").split()
    if sign == "#":
        return bool(element.get("id") == name)
    found = element.get(attribute.lower())
    if found is None or not relation:
        return found is not None
    return {
        "=": found == value,
        "~=": value in found.split(),
        "|=": found == value or found.startswith(f"{value}-"),
        "^=": bool(value) and found.startswith(value),
        "$=": bool(value) and found.endswith(value),
        "*=": bool(value) and value in found,
    }[relation]
