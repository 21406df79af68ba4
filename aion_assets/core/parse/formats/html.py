"""HTML: the main text of a page with its headings, without the menus around it.

trafilatura finds the main text of articles better than anything else. Of pages of documentation, which say themselves
where their content is, it may flatten code, lose headings, or give up; those are read from that element directly.
"""

from typing import Any

from lxml.etree import _Element

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats.html_blocks import (
    HEADINGS,
    heading_id,
    heading_text,
    is_chrome,
    shown_length,
    write_blocks,
)
from aion_assets.core.records import QuarantineReason

# trafilatura's own output speaks TEI-like names; in HTML's the same writer serves both.
_CONTENT_PATHS = (
    "//main",
    "//*[@role='main']",
    "//article",
    "//*[@id='content' or @id='main-content' or @id='mainCol' or @id='main']",
    "//div[@class='document' or @class='body' or @class='markdown-body']",
)
# Tried on article_extraction (181 news pages) and on the pages of three sites of documentation (mdBook, Rails Guides,
# AsciiDoc). Where the two readings are of one length, code and lists decide; where trafilatura's is shorter, it has
# left out related stories from an article, but sections from a manual, which tells itself by its share of code.
_SAME_TEXT = 0.93
_ALL_TEXT = 0.98  # with 0.93, four of the news pages brought links and captions in
_DOCUMENTATION_SHARE = 0.1
_MOST_TEXT = 0.75  # of a manual in DocBook's HTML, .79: the rest is its table of contents and what else was lost
_MANUAL_HEADINGS = 3
_MENUS_TAKEN = 1.5
_SHORT_PAGE_CHARS = 2_000
_MIN_LEAD_CHARS = 30
_LINK_LIST_SHARE = 0.5
_HTML_NAMES = {"list": "ul", "item": "li", "quote": "blockquote", "row": "tr", "cell": "td", "lb": "br", "hi": "span"}


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "html"
    tree = _load(raw.text())
    _write_metadata(tree, raw.url, draft)
    _write_text(tree, raw.url, draft)


def write_markup(markup: str, draft: Draft) -> None:
    """The text of `markup` alone, for HTML inside of something else."""
    _write_text(_load(markup), "", draft)


def _load(markup: str) -> _Element:
    from trafilatura import load_html

    tree: _Element | None = load_html(markup) if markup.strip() else None
    if tree is None:  # a fragment, that is no page for trafilatura
        tree = load_html(f"<html><body><div>{markup}</div></body></html>")
    if tree is None:
        raise ParseError(QuarantineReason.BROKEN, "The HTML cannot be read.")
    _unwrap(tree)
    return tree


def _unwrap(tree: _Element) -> None:
    """ASP.NET puts all of a page into one form; others are furniture."""
    forms = list(tree.iter("form"))
    half = 0.5 * shown_length(tree, chrome=True) if forms else 0
    for form in forms:
        if form.find(".//h1") is not None or shown_length(form, chrome=True) > half:
            form.drop_tag()


def _write_text(tree: _Element, url: str, draft: Draft) -> None:
    body, content = _main_text(tree, url), _content_element(tree)
    if body is not None and len(body) <= 1:
        content = content if content is not None else tree.find("body")
    elif content is None and body is not None and _lacks_headings(body, tree):
        body = tree.find("body")
    if content is not None and (body is None or _reads_better(content, body)):
        for lead in _leads(content):
            write_blocks(lead, draft)
        body = content
    before = draft.characters
    if body is not None:
        write_blocks(body, draft)
    if draft.characters == before:
        draft.note("the whole page is taken: no main text was found")
        write_blocks(tree, draft)


def _reads_better(content: _Element, found: _Element) -> bool:
    """Whether all of `content` is a better main text than what trafilatura found."""
    everything, chosen = shown_length(content), len(one_line("".join(found.itertext())))
    if content.tag == "main" and chosen > _MENUS_TAKEN * max(shown_length(content, chrome=True), 1):
        return True  # a short page, filled up with the menus around it
    structured = sum(shown_length(element) for element in content.iter("pre", "dl"))
    if len(found) <= 1 and everything <= _SHORT_PAGE_CHARS:  # trafilatura has run all of a short page together
        most = _MENUS_TAKEN * everything if structured else everything / _SAME_TEXT
        return _SAME_TEXT * everything <= chosen <= most
    if not structured or everything < _SAME_TEXT * chosen:
        return False
    return everything * _SAME_TEXT <= chosen or structured >= _DOCUMENTATION_SHARE * everything


def _lacks_headings(found: _Element, tree: _Element) -> bool:
    """Whether `found` has lost the headings of a page that has no furniture, or that is a manual with little of it:
    where nothing marks the content, trafilatura may leave them out."""
    if next(found.iter(*HEADINGS), None) is not None:
        return False
    shown = [heading for heading in tree.iter(*HEADINGS) if not any(map(is_chrome, heading.iterancestors()))]
    everything, chosen = shown_length(tree), len(one_line("".join(found.itertext())))
    if shown and _ALL_TEXT * (everything - sum(map(shown_length, shown))) <= chosen:
        return True
    structured = sum(shown_length(element) for element in tree.iter("pre", "dl"))
    is_manual = len(shown) >= _MANUAL_HEADINGS and structured >= _DOCUMENTATION_SHARE * everything
    return is_manual and _MOST_TEXT * everything <= chosen


def _content_element(tree: _Element) -> _Element | None:
    """The element that the page itself calls its content."""
    for path in _CONTENT_PATHS:
        found = tree.xpath(path)
        if len(found) == 1:
            return found[0]
    return None


def _leads(content: _Element) -> list[_Element]:
    """What stands before the content element and opens the document: its name and summary, without link lists."""
    found: list[_Element] = []
    for level in (content, *content.iterancestors()):
        for element in level.itersiblings(preceding=True):
            opens = not is_chrome(element) and next(element.iter("h1", "h2"), None) is not None
            if opens and any(shown_length(text) >= _MIN_LEAD_CHARS for text in element.iter("p")):
                found.insert(0, element)
    for element in found:
        for block in list(element.iter("ul", "ol", "dl", "div")):
            links = sum(shown_length(link) for link in block.iter("a"))
            if links > _LINK_LIST_SHARE * shown_length(block):
                block.drop_tree()
    return found


def _main_text(tree: _Element, url: str) -> _Element | None:
    """trafilatura's choice in HTML's names, each heading with the id that it has in the page."""
    from trafilatura import bare_extraction

    found: Any = bare_extraction(tree, url=url or None, include_comments=False)
    if found is None:
        return None
    body: _Element = found.body
    ids = [(heading_text(heading), heading_id(heading)) for heading in tree.iter(*HEADINGS)]
    position = 0
    for element in body.iter("*"):
        if element.tag == "head":
            element.tag = element.get("rend") if element.get("rend") in HEADINGS else "h2"
            text = heading_text(element)
            match = next((place for place in range(position, len(ids)) if ids[place][0] == text), None)
            if match is not None:
                position = match + 1
                element.set("id", ids[match][1])
        elif element.tag == "code" and "\n" in "".join(element.itertext()):
            element.tag = "pre"
        elif element.tag == "item" and (element.get("rend") or "").startswith(("dt", "dd")):
            element.tag = element.get("rend")[:2]
        elif element.tag in _HTML_NAMES:
            element.tag = _HTML_NAMES[element.tag]
    return body


def _write_metadata(tree: _Element, url: str, draft: Draft) -> None:
    from htmldate import find_date

    def first(*paths: str) -> str:
        values = (str(value) for path in paths for value in tree.xpath(path))
        return next(filter(None, map(one_line, values)), "")

    draft.title = first("//meta[@property='og:title']/@content", "//head/title/text()")
    draft.lang = first("/html/@lang", "//meta[translate(@http-equiv,'CL','cl')='content-language']/@content")
    # The extensive search would take any date in the text; a wrong date is worse than none.
    draft.published = find_date(tree, url=url or None, extensive_search=False, original_date=True) or ""
