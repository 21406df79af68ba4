"""From an HTML element to headings, paragraphs, lists, tables and code, in the order in which they are read."""

import re
from collections.abc import Iterator

from lxml.etree import _Element

from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats.table import write_table

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SKIPPED_TAGS = frozenset(
    "script style noscript template svg math nav footer aside form button select textarea input iframe object embed "
    "canvas audio video map dialog head".split()
)
_SKIPPED_ROLES = frozenset(("navigation", "search", "banner", "contentinfo", "complementary", "menu", "dialog"))
# Whole words of class and id that documentation generators and content managers use for page furniture.
_SKIPPED_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|breadcrumbs?|pagination|pager|sidebar|menu|skip-?(?:link|to-content)|"
    r"headerlink|permalink|header-?anchor|linenos?|gutter|share|sharing|social|cookies?|toctree-wrapper)(?:$|[\s_-])",
    re.IGNORECASE,
)
BLOCKS = frozenset(
    "address article blockquote body center dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 header "
    "hgroup hr li main ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_LINK_LIST_SHARE = 0.5
_PERMALINK = re.compile(r"^[\s¶#§🔗]+|[\s¶#§🔗]+$")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def is_chrome(element: _Element) -> bool:
    """Whether `element` is furniture around the content, or not shown at all."""
    if not isinstance(element.tag, str):  # a comment or processing instruction
        return True
    if element.tag in _SKIPPED_TAGS or element.get("role") in _SKIPPED_ROLES:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if _HIDDEN_STYLE.search(element.get("style") or ""):
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    # A class such as "has-sidebar" is on the wrapper of a whole page. An element with headings is not furniture.
    return bool(_SKIPPED_NAMES.search(names)) and element.find(".//h1") is None and element.tag not in HEADINGS


def heading_id(heading: _Element) -> str:
    """The fragment that leads to `heading`: its own id, that of an anchor in or right before it, or of its section."""
    if own := heading.get("id"):
        return own
    for anchor in heading.iter("a"):
        if name := anchor.get("id") or anchor.get("name"):
            return name
    before = heading.getprevious()
    if before is not None and before.tag == "a" and not one_line("".join(before.itertext())):
        return before.get("id") or before.get("name") or ""
    parent = heading.getparent()
    if parent is not None and parent.tag in ("section", "article", "div", "header") and before is None:
        return parent.get("id") or ""
    return ""


def heading_text(heading: _Element) -> str:
    text = "".join(heading.itertext(with_tail=False)) if is_chrome(heading) else "".join(_inline(heading))
    return _PERMALINK.sub("", one_line(text))


def shown_length(element: _Element, *, chrome: bool = False) -> int:
    """Characters of text under `element`, with or without the furniture."""
    pieces = element.itertext() if chrome else _inline(element)
    return len(one_line("".join(pieces)))


def is_link_list(element: _Element) -> bool:
    """Whether most of its text leads elsewhere."""
    return sum(map(shown_length, element.iter("a"))) > _LINK_LIST_SHARE * shown_length(element)


def write_blocks(root: _Element, draft: Draft, *, keep_tables: bool = False) -> None:
    """Write everything under `root` that a reader sees into `draft`. `keep_tables`: long ones stay rows with bars."""
    writer = _BlockWriter(draft, keep_tables)
    writer.children(root)
    writer.flush()


class _BlockWriter:
    """Inline text gathers in `_pending` until a block ends."""

    def __init__(self, draft: Draft, keep_tables: bool) -> None:
        self._draft = draft
        self._keep_tables = keep_tables
        self._pending: list[str] = []

    def flush(self) -> None:
        self._draft.paragraph("".join(self._pending))
        self._pending.clear()

    def children(self, element: _Element) -> None:
        self._inline(element.text)
        for child in element:
            if not is_chrome(child):
                self._element(child)
            self._inline(child.tail)

    def _element(self, element: _Element) -> None:
        tag = element.tag
        if tag in HEADINGS:
            self.flush()
            self._draft.heading(int(tag[1]), heading_text(element), heading_id(element))
        elif tag == "pre":
            self.flush()
            self._draft.verbatim("".join(_inline(element)))
        elif tag == "table":
            self.flush()
            self._table(element)
        elif tag == "br":
            self._pending.append("\n")
        elif tag in ("ul", "ol", "dl"):
            self._list(element)
        elif tag in BLOCKS:
            self.flush()
            self.children(element)
            self.flush()
        else:
            self.children(element)

    def _list(self, element: _Element) -> None:
        """Write items as lines of one paragraph, so that a list stays together. A term begins a new paragraph."""
        if element.tag == "dl" or not self._inside_item(element):
            self.flush()
        for item in element.iterchildren("li", "dt", "dd", "div", "ul", "ol"):
            if is_chrome(item):
                continue
            if item.tag in ("div", "ul", "ol"):
                self._list(item)
                continue
            previous = item.getprevious()
            if item.tag == "dt" and (previous is None or previous.tag != "dt"):
                self.flush()
            self._pending.append(f"\n{_mark(item)} " if item.tag == "li" else "\n")
            self._item(item)
        if not self._inside_item(element):
            self.flush()

    def _item(self, item: _Element) -> None:
        """Keep the first paragraph of an item on the item's own line."""
        self._inline(item.text)
        for position, child in enumerate(item):
            if not is_chrome(child):
                if position == 0 and child.tag in ("p", "div") and not self._holds_blocks(child):
                    self.children(child)
                    self._pending.append("\n")
                else:
                    self._element(child)
            self._inline(child.tail)

    def _table(self, table: _Element) -> None:
        """Write a row as a line. A layout table, with blocks in its cells, is read cell by cell."""
        if self._holds_blocks(table, ("table", "pre", *HEADINGS)):
            for cell in table.iter("td", "th", "caption"):
                if next(cell.iterancestors("table")) is table and not is_chrome(cell):
                    self.children(cell)
                    self.flush()
            return
        rows = [[one_line("".join(_inline(caption)))] for caption in table.iterchildren("caption")]
        for row in table.iter("tr"):
            cells = [one_line("".join(_inline(cell))) for cell in row.iterchildren("td", "th")]
            if any(cells):
                filled = max(place for place, cell in enumerate(cells) if cell)
                rows.append(cells[: filled + 1])
        if self._keep_tables:
            self._draft.paragraph("\n".join(" | ".join(row) for row in rows))
        else:
            write_table(rows, self._draft)

    def _inline(self, text: str | None) -> None:
        if text:
            self._pending.append(" ".join(re.split(r"[\s\xa0]+", text)))

    @staticmethod
    def _inside_item(element: _Element) -> bool:
        parent = element.getparent()
        return parent is not None and parent.tag in ("li", "ul", "ol")

    @staticmethod
    def _holds_blocks(element: _Element, tags: tuple[str, ...] = ()) -> bool:
        return any(below is not element for below in element.iter(*(tags or BLOCKS)))


def _mark(item: _Element) -> str:
    """What stands before an item of a list: its number where the list has numbers."""
    listed = item.getparent()
    if listed is None or listed.tag != "ol":
        return "-"
    number = _whole(listed.get("start"), 1)
    for other in listed.iterchildren("li"):
        number = _whole(other.get("value"), number)
        if other is item:
            break
        number += 1
    form = listed.get("type") or "1"
    return f"{chr(ord(form) + (number - 1) % 26)})" if form in ("a", "A") else f"{number}."


def _whole(value: str | None, default: int) -> int:
    return int(value) if value and re.fullmatch(r"\d{1,4}", value.strip()) else default


def _inline(element: _Element) -> Iterator[str]:
    """All text below `element`, with `<br>` as a line break and a blank between blocks."""
    yield element.text or ""
    for child in element:
        if not is_chrome(child):
            if child.tag == "br":
                yield "\n"
            elif child.tag in BLOCKS and child.tag != "pre":
                yield " "
                yield from _inline(child)
                yield " "
            else:
                yield from _inline(child)
        yield child.tail or ""
