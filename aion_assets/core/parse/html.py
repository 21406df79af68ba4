"""HTML: the main text of a page with its headings, without the menus around it.

trafilatura finds the main text of articles better than anything else. Of pages of documentation, which say themselves
where their content is, it may flatten code, lose headings, or give up; those are read from that element directly.
"""

from typing import Any

from lxml.etree import _Element

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, one_line
from aion_assets.core.parse.html_blocks import HEADINGS, heading_id, heading_text, write_blocks
from aion_assets.core.records import QuarantineReason

# trafilatura's own output speaks TEI-like names; in HTML's the same writer serves both.
_HTML_NAMES = {"list": "ul", "item": "li", "quote": "blockquote", "row": "tr", "cell": "td", "lb": "br", "hi": "span"}


def parse(raw: RawFile, draft: Draft) -> None:
    read_markup(raw.text(), raw.url, draft)


def read_markup(markup: str, url: str, draft: Draft) -> None:
    """`markup` into `draft`, for a page and for the HTML body of a mail alike."""
    from trafilatura import load_html

    tree = load_html(markup) if markup.strip() else None
    if tree is None:
        tree = load_html(f"<html><body><div>{markup}</div></body></html>")
    if tree is None:
        raise ParseError(QuarantineReason.BROKEN, "The HTML cannot be read.")
    draft.parser = "html"
    _write_metadata(tree, url, draft)
    body = _main_text(tree, url)
    if body is not None:
        write_blocks(body, draft)
    if draft.is_empty:
        draft.note("the whole page is taken: no main text was found")
        write_blocks(tree, draft)


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
            text = one_line("".join(element.itertext()))
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
