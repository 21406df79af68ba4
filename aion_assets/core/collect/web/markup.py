"""What a crawler reads in a page: its links, its canonical address, and its visible text."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

import lxml.html
from lxml import etree

from aion_assets.core.fetch.urls import canonical_url
from aion_assets.core.ids import short_digest

# A page of navigation has hundreds of links. One with more than this is a crawler trap.
MAX_LINKS = 10_000
# libxml2 compares each attribute of a tag with all before it. Real tags have some dozens.
MAX_ATTRIBUTES = 2_000
_ATTRIBUTE = rb"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+"""
_OVERFULL_TAG = re.compile(
    rb"(<[a-zA-Z][^\s/>]*+(?:%s){0,%d}+)((?:%s)*+)" % (_ATTRIBUTE, MAX_ATTRIBUTES, _ATTRIBUTE), re.DOTALL
)


@dataclass(slots=True)
class Markup:
    """`canonical` is "" where the page names none; `shown` identifies the visible text."""

    links: list[str] = field(default_factory=list)
    canonical: str = ""
    shown: str = ""


def read_markup(body: bytes, content_type: str, url: str) -> Markup:
    """Never raises. What cannot be read as HTML has no links."""
    try:
        root = lxml.html.document_fromstring(_bounded(body), parser=_parser(_charset(content_type)))
    except (etree.LxmlError, ValueError, AssertionError):  # no element at all; lxml asserts on some of these
        return Markup()
    base = next((canonical_url(href, url) or url for href in root.xpath("//base/@href")), url)
    links: dict[str, None] = {}
    for href in _hrefs(root):
        if link := canonical_url(href, base):
            links[link] = None
            if len(links) >= MAX_LINKS:
                break
    links.pop(url, None)
    canonical = next(
        (link for href in root.xpath("//link[@rel='canonical']/@href") if (link := canonical_url(href, base))), ""
    )
    return Markup(list(links), canonical, short_digest(_shown(root)))


def _bounded(body: bytes) -> bytes:
    """Without the attributes of a tag beyond MAX_ATTRIBUTES."""
    return _OVERFULL_TAG.sub(rb"\1", body)


def _parser(encoding: str | None) -> lxml.html.HTMLParser:
    try:
        return lxml.html.HTMLParser(encoding=encoding)
    except LookupError:  # Python knows more encodings than libxml2
        return lxml.html.HTMLParser()


def _hrefs(root: lxml.html.HtmlElement) -> Iterator[str]:
    """The links that a reader can follow. Images, scripts and style sheets are parts of a page, not places."""
    for element in root.iter("a", "area", "frame", "meta"):
        if element.tag == "meta":
            if (element.get("http-equiv") or "").strip().lower() == "refresh":
                _, _, target = (element.get("content") or "").partition("=")
                yield target.strip().strip("'\"")
        elif href := element.get("src" if element.tag == "frame" else "href"):
            yield href


def _shown(root: lxml.html.HtmlElement) -> str:
    return " ".join(" ".join(_SHOWN_TEXT(root)).split())


_SHOWN_TEXT = etree.XPath(
    "//title/text() | //body//text()[not(parent::script or parent::style or parent::noscript or parent::template)]"
)


def _charset(content_type: str) -> str | None:
    message = Message()
    message["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    name = message.get_param("charset")
    try:
        return codecs.lookup(str(name)).name if name else None
    except (LookupError, ValueError):
        return None
