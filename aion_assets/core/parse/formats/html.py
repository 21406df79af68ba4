"""HTML: the main text of a page with its headings, without the menus around it.

trafilatura finds the main text of articles. On pages of documentation it may flatten code, lose headings, or give up.
Such pages mark their content, so they are read from that element directly.
"""

from typing import Any

from lxml.etree import _Element

from aion_assets.core.errors import ParseError
from aion_assets.core.fetch.error_pages import says_it_is_an_error
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.formats.html_between import with_what_stands_between
from aion_assets.core.parse.formats.html_blocks import (
    HEADINGS,
    heading_id,
    heading_text,
    is_chrome,
    is_link_list,
    shown_length,
    write_blocks,
)
from aion_assets.core.parse.formats.html_names import clear_misleading_names
from aion_assets.core.parse.formats.html_notation import write_notation
from aion_assets.core.parse.formats.html_shown import show_as_read
from aion_assets.core.parse.formats.html_tables import make_tables_of_roles, spread_merged_cells, unnest_tables
from aion_assets.core.records import AWAITS_PERSON, QuarantineReason

# trafilatura's output uses TEI-like names. They are mapped to HTML's, so that one writer serves both.
_CONTENT_PATHS = (
    "//main",
    "//*[@role='main']",
    "//article",
    "//*[@id='content' or @id='main-content' or @id='mainCol' or @id='main']",
    "//div[@class='document' or @class='body' or @class='markdown-body']",
)
# A table in a news article is a part of its text, and what trafilatura leaves out of one leads elsewhere. On other
# pages people ask for single rows, and for what is between the paragraphs.
_IS_ARTICLE = "//meta[@property='og:type'][@content='article'] | //meta[@property='article:published_time'] | //article"
# Where both readings have one length, code and lists decide. Where trafilatura's is shorter, it left out related
# stories of an article, or sections of a manual. A manual shows by its share of code.
_SAME_TEXT = 0.93
_DOCUMENTATION_SHARE = 0.1
_MOST_TEXT = 0.75  # the rest of a manual is its table of contents and what was lost
_MANUAL_HEADINGS = 3
_MENUS_TAKEN = 1.5
_SHORT_PAGE_CHARS = 2_000
_MIN_LEAD_CHARS = 30
_HTML_NAMES = {"list": "ul", "item": "li", "quote": "blockquote", "row": "tr", "cell": "td", "lb": "br", "hi": "span"}


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "html"
    tree = _load(raw.text(), draft)
    _write_metadata(tree, raw.url, draft)
    heading = next((heading_text(element) for element in tree.iter("h1")), "")
    _write_text(tree, raw.url, draft)
    if says_it_is_an_error(draft.title, heading, draft.characters):
        draft.note(f"{AWAITS_PERSON}it says of itself that it is an error page")


def write_markup(markup: str, draft: Draft) -> None:
    """Write the text of `markup`: HTML inside another format."""
    _write_text(_load(markup, draft), "", draft)


def write_whole(markup: str, draft: Draft) -> None:
    """Write all of `markup`: a part of a document, without menus around it."""
    write_blocks(_load(markup, draft), draft)


def _load(markup: str, draft: Draft) -> _Element:
    from trafilatura import load_html

    tree: _Element | None = load_html(markup) if markup.strip() else None
    if tree is None:  # a fragment, which trafilatura does not take for a page
        tree = load_html(f"<html><body><div>{markup}</div></body></html>")
    if tree is None:
        raise ParseError(QuarantineReason.BROKEN, "The HTML cannot be read.")
    _unwrap(tree)
    prepare(tree, draft)
    return tree


def prepare(tree: _Element, draft: Draft) -> None:
    """Rewrite what neither reader of pages understands: struck-out text, folded answers, formulas, merged cells."""
    clear_misleading_names(tree)
    show_as_read(tree, draft)
    write_notation(tree)
    make_tables_of_roles(tree)
    unnest_tables(tree)
    spread_merged_cells(tree)


def _unwrap(tree: _Element) -> None:
    """Unwrap a form that holds the page, as ASP.NET makes it. Other forms are page furniture."""
    forms = list(tree.iter("form"))
    half = 0.5 * shown_length(tree, chrome=True) if forms else 0
    for form in forms:
        if form.find(".//h1") is not None or shown_length(form, chrome=True) > half:
            form.drop_tag()


def _write_text(tree: _Element, url: str, draft: Draft) -> None:
    is_article = bool(tree.xpath(_IS_ARTICLE))
    body, content, page = _main_text(tree, url, is_article), _content_element(tree), tree.find("body")
    if body is not None and len(body) <= 1:
        content = content if content is not None else page
    elif content is None and body is not None and _is_manual(body, tree):
        body = page
    if content is not None and (body is None or _reads_better(content, body)):
        for lead in _leads(content):
            write_blocks(lead, draft)
        body = content
    elif body is not None and body is not page and (content is None or not is_article):
        between = with_what_stands_between(body, tree if content is None else content, draft.title)
        body = body if between is None else between
    before = draft.characters
    if body is not None:
        write_blocks(body, draft, keep_tables=is_article)
    if draft.characters == before:
        draft.note("the whole page is taken: no main text was found")
        write_blocks(tree, draft)


def _reads_better(content: _Element, found: _Element) -> bool:
    """Whether all of `content` is a better main text than what trafilatura found."""
    everything, chosen = shown_length(content), len(one_line("".join(found.itertext())))
    is_marked = content.tag == "main" or content.get("role") == "main"
    if is_marked and 0 < everything <= _SHORT_PAGE_CHARS and not _is_within(found, content):
        return shown_length(content, chrome=True) <= _SHORT_PAGE_CHARS  # menus were taken, or a box beside the content
    if content.tag == "main" and chosen > _MENUS_TAKEN * max(shown_length(content, chrome=True), 1):
        return True  # a short page, to which trafilatura added the menus
    structured = sum(shown_length(element) for element in content.iter("pre", "dl"))
    if len(found) <= 1 and everything <= _SHORT_PAGE_CHARS:  # trafilatura ran a short page together into one block
        most = _MENUS_TAKEN * everything if structured else everything / _SAME_TEXT
        return _SAME_TEXT * everything <= chosen <= most
    if not structured or everything < _SAME_TEXT * chosen:
        return False
    return everything * _SAME_TEXT <= chosen or structured >= _DOCUMENTATION_SHARE * everything


def _is_within(found: _Element, content: _Element) -> bool:
    """Whether the text that was found begins and ends inside of `content`."""
    text, letters = ("".join(filter(str.isalnum, "".join(part.itertext()))) for part in (content, found))
    return letters[:40] in text and letters[-40:] in text


def _is_manual(found: _Element, tree: _Element) -> bool:
    """Whether the page is a manual with little page furniture, and `found` lost its headings."""
    if next(found.iter(*HEADINGS), None) is not None:
        return False
    shown = [heading for heading in tree.iter(*HEADINGS) if not any(map(is_chrome, heading.iterancestors()))]
    everything, chosen = shown_length(tree), len(one_line("".join(found.itertext())))
    structured = sum(shown_length(element) for element in tree.iter("pre", "dl"))
    has_code = len(shown) >= _MANUAL_HEADINGS and structured >= _DOCUMENTATION_SHARE * everything
    return has_code and _MOST_TEXT * everything <= chosen


def _content_element(tree: _Element) -> _Element | None:
    """The element that the page itself calls its content."""
    for path in _CONTENT_PATHS:
        found = tree.xpath(path)
        if len(found) == 1:
            return found[0]
    return None


def _leads(content: _Element) -> list[_Element]:
    """Elements before the content element that open the document: its name and summary, without link lists."""
    found: list[_Element] = []
    for level in (content, *content.iterancestors()):
        for element in level.itersiblings(preceding=True):
            opens = not is_chrome(element) and next(element.iter("h1", "h2"), None) is not None
            if opens and any(shown_length(text) >= _MIN_LEAD_CHARS for text in element.iter("p")):
                found.insert(0, element)
    for element in found:
        for block in list(element.iter("ul", "ol", "dl", "div")):
            if is_link_list(block):
                block.drop_tree()
    return found


def _main_text(tree: _Element, url: str, is_article: bool) -> _Element | None:
    """trafilatura's choice under HTML's names, each heading with its id in the page."""
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
        elif element.tag == "list" and element.get("rend") == "ol" and not is_article:
            element.tag = "ol"  # in the news a number is rarely more than a bullet
        elif element.tag in _HTML_NAMES:
            element.tag = _HTML_NAMES[element.tag]
    return body


def _write_metadata(tree: _Element, url: str, draft: Draft) -> None:
    from htmldate import find_date

    def first(*paths: str) -> str:
        values = (str(value) for path in paths for value in tree.xpath(path))
        return next(filter(None, map(one_line, values)), "")

    draft.title = first("//meta[@property='og:title']/@content", "//head/title/text()")
    robots = {rule.strip() for rule in first("//meta[@name='robots']/@content").lower().split(",")}
    if not robots.isdisjoint(("noindex", "none")):
        draft.note(f"{AWAITS_PERSON}the page asks not to be indexed")
    draft.lang = first("/html/@lang", "//meta[translate(@http-equiv,'CL','cl')='content-language']/@content")
    # The extensive search takes any date in the text. A wrong date is worse than none.
    draft.published = find_date(tree, url=url or None, extensive_search=False, original_date=True) or ""
