"""What a reader of a page sees, and a program may miss: struck-out lines, folded answers, questions in buttons."""

import re
from collections.abc import Iterable, Iterator, Mapping

from lxml.etree import _Element, strip_tags

from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats import struck
from aion_assets.core.parse.formats.html_styles import LOWERED, RAISED, STRUCK, looks

_PLAIN = "plain"  # becomes text in one pass at the end
_STRUCK_TAGS = frozenset(("s", "strike", "del"))
_HEIGHT_TAGS = {RAISED: "sup", LOWERED: "sub"}
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)\s*(?:!important\s*)?;?", re.IGNORECASE)
# Named so, or standing in these, what opens is furniture: a menu, a dialogue, a message.
_OPENS_FURNITURE = re.compile(
    r"modal|dropdown|menu|offcanvas|(?:^|[\s_-])nav|popup|popover|cookie|consent|lightbox|tooltip|sidebar|drawer|search|"
    r"busca|share|login|toast|toc(?:$|[\s_-])",
    re.IGNORECASE,
)
_FURNITURE_TAGS = ("nav", "aside", "footer", "form", "dialog")
_FOLDS = re.compile(r"accordion|acorde|collaps|toggle|faq|pergunta|expand", re.IGNORECASE)
_MIN_FOLDED_CHARS = 15
_MAX_LINK_SHARE = 0.5
_MAX_QUESTION_CHARS = 250
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def show_as_read(tree: _Element, draft: Draft) -> None:
    """Rewrite `tree` so that what a reader sees, or unfolds, is there, and what is struck out is not."""
    found = looks(tree)
    _leave_out_struck(tree, (element for element, look in found.items() if look == STRUCK), draft)
    _name_heights(found)
    targets = _controlled(tree)
    _unfold(tree, targets)
    _name_folded(tree, targets)
    strip_tags(tree, _PLAIN)


def _leave_out_struck(tree: _Element, struck_out: Iterable[_Element], draft: Draft) -> None:
    found = {*struck_out, *tree.iter(*_STRUCK_TAGS)}
    for element in [element for element in tree.iter("*") if element in found]:
        text = "".join(element.itertext())
        if not text.strip() or element.getparent() is None:
            continue
        label = struck.kept_label(text, _text_after(element))
        tail = element.tail
        element.clear()
        element.tag, element.text, element.tail = _PLAIN, label, tail
        draft.note(struck.REMARK)


def _name_heights(found: Mapping[_Element, str]) -> None:
    """Make `sup` and `sub` of what a style raises or lowers, so that all are read alike."""
    for element, look in found.items():
        if look in _HEIGHT_TAGS and next(element.iterancestors("sup", "sub"), None) is None:
            element.tag = _HEIGHT_TAGS[look]


def _text_after(element: _Element) -> str:
    if element.tail and element.tail.strip():
        return str(element.tail)
    following = element.getnext()
    return "".join(following.itertext())[:20] if following is not None and isinstance(following.tag, str) else ""


def _controlled(tree: _Element) -> dict[str, _Element]:
    """id → the element that opens what has this id: a button, or a link within the page."""
    found: dict[str, _Element] = {}
    for element in tree.iter("*"):
        if not isinstance(element.tag, str) or _is_furniture(element, own_name=False):
            continue
        for name in ("aria-controls", "data-target", "data-bs-target", "href"):
            value = element.get(name) or ""
            if name != "aria-controls" and not value.startswith("#"):
                continue
            for identifier in value.split():
                found.setdefault(identifier.removeprefix("#"), element)
    return found


def _is_furniture(element: _Element, own_name: bool = True) -> bool:
    if own_name and _OPENS_FURNITURE.search(f"{element.get('class') or ''} {element.get('id') or ''}"):
        return True
    return element.tag in _FURNITURE_TAGS or next(element.iterancestors(*_FURNITURE_TAGS), None) is not None


def _unfold(tree: _Element, targets: dict[str, _Element]) -> None:
    """Show what is hidden until a reader opens it, such as the answers of a list of questions."""
    for element in tree.iter("*"):
        if not isinstance(element.tag, str) or not _is_hidden(element):
            continue
        is_panel = (
            element.get("role") == "tabpanel" or element.get("hidden") == "until-found" or _follows_opener(element)
        )
        if (is_panel or element.get("id") in targets) and not _is_furniture(element) and _is_text(element):
            for name in ("hidden", "aria-hidden", "class"):
                element.attrib.pop(name, None)
            if style := element.get("style"):
                element.set("style", _HIDDEN_STYLE.sub("", style))


def _follows_opener(element: _Element) -> bool:
    before = element.getprevious()
    if before is None or not isinstance(before.tag, str) or next(element.iterancestors("header"), None) is not None:
        return False
    if before.tag in ("button", "summary") or before.get("role") == "button" or before.get("aria-expanded") is not None:
        return True
    return before.tag in HEADINGS or bool(_FOLDS.search(before.get("class") or ""))


def _is_hidden(element: _Element) -> bool:
    return (
        element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or bool(_HIDDEN_STYLE.search(element.get("style") or ""))
    )


def _is_text(element: _Element) -> bool:
    length = len(one_line("".join(element.itertext())))
    links = sum(len(one_line("".join(link.itertext()))) for link in element.iter("a"))
    return length >= _MIN_FOLDED_CHARS and links <= _MAX_LINK_SHARE * length


def _name_folded(tree: _Element, targets: dict[str, _Element]) -> None:
    """Make headings of what opens an answer: a button in a heading is its words, one before its answer a heading."""
    identifiers: dict[_Element, list[str]] = {}
    for identifier, opener in targets.items():
        identifiers.setdefault(opener, []).append(identifier)
    there = {
        element.get("id")
        for element in tree.iter("*")
        if element.get("id") in targets and not _is_furniture(element) and _is_text(element)
    }
    level = 1
    for element in list(tree.iter(*HEADINGS, "button", "summary", "div", "p")):
        if element.tag in HEADINGS:
            level = int(element.tag[1])
        elif element.get("role") == "heading":
            depth = element.get("aria-level") or ""
            element.tag = f"h{depth}" if depth in ("1", "2", "3", "4", "5", "6") else f"h{min(level + 1, 6)}"
        elif element.tag == "button" and next(element.iterancestors(*HEADINGS), None) is not None:
            element.tag = _PLAIN
        elif element.tag == "summary" and _is_label(element):
            element.tag = f"h{min(level + 1, 6)}"
        elif element.tag == "button" and _asks(element) and _opens_text(element, identifiers.get(element, []), there):
            element.tag = f"h{min(level + 1, 6)}"
            for name in ("class", "aria-hidden", "role"):
                element.attrib.pop(name, None)


def _is_label(summary: _Element) -> bool:
    """Whether it is a line above the text that it folds, and no heading of its own."""
    text = one_line("".join(summary.itertext()))
    inside = any(below is not summary for below in summary.iter(*HEADINGS, "p", "div", "ul", "table"))
    return 0 < len(text) <= _MAX_QUESTION_CHARS and not inside and not _is_furniture(summary)


def _asks(element: _Element) -> bool:
    """Whether a button bears a question or the name of a subject, and opens something in the text."""
    text = one_line("".join(element.itertext()))
    if not 3 <= len(text) <= _MAX_QUESTION_CHARS or _is_furniture(element) or _is_in_header(element):
        return False
    names = " ".join(filter(None, (element.get("class"), element.get("data-bs-toggle"), element.get("data-toggle"))))
    folds = element.get("aria-expanded") is not None or element.get("aria-controls") or _FOLDS.search(names)
    return text.endswith("?") or bool(folds and (len(text.split()) > 1 or _FOLDS.search(names)))


def _is_in_header(element: _Element) -> bool:
    return next(element.iterancestors("header"), None) is not None


def _opens_text(element: _Element, identifiers: list[str], there: set[str | None]) -> bool:
    return any(identifier in there for identifier in identifiers) or any(map(_is_text, _following(element)))


def _following(element: _Element) -> Iterator[_Element]:
    """What stands directly after a button, or after the box that holds it alone."""
    parent = element.getparent()
    for start in (element, parent):
        following = start.getnext() if start is not None else None
        if following is not None and isinstance(following.tag, str) and following.tag != "button":
            yield following
