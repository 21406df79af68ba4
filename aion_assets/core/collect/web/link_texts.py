"""What a page calls the pages that it links to."""

from collections.abc import Iterator

import lxml.html
from lxml import etree

from aion_assets.core.collect.web.markup import MAX_LINKS, parsed
from aion_assets.core.fetch.urls import canonical_url

# A longer link is a teaser or a whole block.
_MOST_CHARS = 200


def link_texts(body: bytes, content_type: str, url: str) -> Iterator[tuple[str, str]]:
    """(address, text) of the links that have a text, in the order of the page; of a picture its description.

    Never raises. What cannot be read as HTML has no links.
    """
    root = parsed(body, content_type)
    if root is None:
        return
    base = next((canonical_url(href, url) or url for href in root.xpath("//base/@href")), url)
    for element in [*root.iter("a")][:MAX_LINKS]:
        text = " ".join(_text(element).split())
        address = canonical_url(element.get("href") or "", base) if text and len(text) <= _MOST_CHARS else None
        if address and address != url:
            yield address, text


def _text(element: lxml.html.HtmlElement) -> str:
    said = " ".join(_SHOWN(element))
    return said if said.strip() else " ".join(image.get("alt") or "" for image in element.iter("img"))


_SHOWN = etree.XPath(".//text()[not(parent::script or parent::style)]")
