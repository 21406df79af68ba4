"""What a crawler reads in a page: its links, its canonical address, its visible text, and what it asks of crawlers."""

import codecs
import hashlib
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

import lxml.html
from lxml import etree

from aion_assets.core.fetch.error_pages import says_it_is_an_error
from aion_assets.core.fetch.media import charset_name
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
NOINDEX = "the page asks not to be indexed (noindex)"
_MAX_PIECES = 5_000
# A page that only leads on may say "you are being redirected".
_MAX_LEADING_CHARS = 120
_MAX_REFRESH_S = 30.0  # slower ones reload a page that is being read
_REFRESH = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*[;,\s]\s*(?:url\s*=)?\s*(.*)", re.IGNORECASE | re.DOTALL)
_SCRIPTED = re.compile(
    r"\blocation(?:\s*\.\s*href)?\s*=(?!=)\s*([\"'])(?P<set>[^\"'<>\s]{1,2000})\1"
    r"|\blocation\s*\.\s*(?:replace|assign)\(\s*([\"'])(?P<called>[^\"'<>\s]{1,2000})\3"
)
_PRINT = re.compile(
    r"/(?:print(?:able)?|imprimir|impressao)(?:\.\w{2,5})?/?(?:\?|$)|[?&](?:print|imprimir)\b", re.IGNORECASE
)
_MAX_SCRIPT_CHARS = 20_000


@dataclass(slots=True)
class Markup:
    """`canonical` is "" where the page names none; `shown` identifies the visible text, `pieces` its parts.

    `leads_to` is set where the page only sends its reader on. `is_error`: it says that there is no such page.
    """

    links: list[str] = field(default_factory=list)
    canonical: str = ""
    shown: str = ""
    pieces: array = field(default_factory=lambda: array("Q"))  # type: ignore[type-arg]
    leads_to: str = ""
    noindex: bool = False
    nofollow: bool = False
    is_error: bool = False


def read_markup(body: bytes, content_type: str, url: str) -> Markup:
    """Never raises. What cannot be read as HTML has no links."""
    root = parsed(body, content_type)
    if root is None:
        return Markup()
    encoding = _query_encoding(root)
    base = next((canonical_url(href, url, encoding) or url for href in root.xpath("//base/@href")), url)
    links: dict[str, None] = {}
    refresh = _refresh(root)
    for href in (refresh, *_hrefs(root)):
        if link := canonical_url(href, base, encoding) if href else None:
            links[link] = None
            if len(links) >= MAX_LINKS:
                break
    links.pop(url, None)
    text = " ".join(" ".join(_SHOWN_TEXT(root)).split())
    canonical = next(
        (to for href in root.xpath("//link[@rel='canonical']/@href") if (to := canonical_url(href, base, encoding))), ""
    )
    markup = Markup(list(links), canonical, short_digest(text), _pieces(root))
    markup.leads_to = _leads_to(root, refresh, text, base)
    markup.leads_to = "" if markup.leads_to == url else markup.leads_to
    if markup.leads_to and markup.leads_to not in links:
        markup.links.append(markup.leads_to)
    _read_wishes(root, markup)
    title, heading = (
        " ".join(" ".join(root.xpath(path)).split()) for path in ("//head/title//text()", "(//h1)[1]//text()")
    )
    markup.is_error = says_it_is_an_error(title, heading, len(text))
    return markup


def parsed(body: bytes, content_type: str) -> lxml.html.HtmlElement | None:
    """None for what cannot be read as HTML."""
    try:
        return lxml.html.document_fromstring(_bounded(body), parser=_parser(_charset(content_type)))
    except (etree.LxmlError, ValueError, AssertionError):  # no element at all; lxml asserts on some of these
        return None


def asks_not_to_be_indexed(header: str, user_agent: str) -> bool:
    """Whether an X-Robots-Tag says so: "noindex", or "aion: noindex". One that names another robot does not hold."""
    own = user_agent.partition("/")[0].strip().lower()
    names_robot = ""
    for part in header.lower().split(","):
        name, colon, rule = part.partition(":")
        if colon and name.strip() not in ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"):
            names_robot = name.strip()
        else:
            rule = part
        if rule.strip() in ("noindex", "none") and names_robot in ("", own, "*"):
            return True
    return False


def is_print_edition(url: str) -> bool:
    """Whether the address is that of a page made for printing. It asks not to be indexed because it repeats others."""
    return _PRINT.search(url) is not None


def _read_wishes(root: lxml.html.HtmlElement, markup: Markup) -> None:
    for element in root.iter("meta"):
        if (element.get("name") or "").strip().lower() == "robots":
            rules = {rule.strip() for rule in (element.get("content") or "").lower().split(",")}
            markup.noindex = markup.noindex or not rules.isdisjoint(("noindex", "none"))
            markup.nofollow = markup.nofollow or not rules.isdisjoint(("nofollow", "none"))


def _query_encoding(root: lxml.html.HtmlElement) -> str:
    """The encoding in which browsers send the queries of the page's links."""
    try:
        name = codecs.lookup(root.getroottree().docinfo.encoding or "utf-8").name
    except LookupError:
        return "utf-8"
    if name in ("iso8859-1", "ascii"):
        return "cp1252"
    return "utf-8" if name.startswith(("utf-16", "utf-32")) else name


def _refresh(root: lxml.html.HtmlElement) -> str:
    """The target of a refresh, with or without "url=" and quotation marks, also where scripts are off; "" for none."""
    for element in root.iter("meta"):
        if (element.get("http-equiv") or "").strip().lower() == "refresh":
            found = _REFRESH.match(element.get("content") or "")
            target = found.group(2).strip() if found and float(found.group(1)) <= _MAX_REFRESH_S else ""
            if target[:1] in ("'", '"'):
                target = target[1:].partition(target[0])[0]
            if target:
                return target.strip()
    return ""


def _leads_to(root: lxml.html.HtmlElement, refresh: str, text: str, base: str) -> str:
    """Where a page without text of its own sends its reader, by a refresh or by a plain script; "" for other pages."""
    if len(text) > _MAX_LEADING_CHARS:
        return ""
    if refresh:
        return canonical_url(refresh, base) or ""
    if root.find(".//form") is not None or len(root.xpath("//a[@href]")) > 2:
        return ""
    for script in root.iter("script"):
        if found := _SCRIPTED.search((script.text or "")[:_MAX_SCRIPT_CHARS]):
            return canonical_url(found["set"] or found["called"], base) or ""
    return ""


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
    for element in root.iter("a", "area", "frame"):
        if href := element.get("href" if element.tag in ("a", "area") else "src"):
            yield href


def _pieces(root: lxml.html.HtmlElement) -> array:  # type: ignore[type-arg]
    """Fingerprints of the texts in the body of a page."""
    found = set()
    for text in _BODY_TEXT(root)[:_MAX_PIECES]:
        if any(map(str.isalnum, text)):
            line = " ".join(text.split()).encode("utf-8", "replace")
            found.add(int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "big"))
    return array("Q", sorted(found))


_VISIBLE = "//body//text()[not(parent::script or parent::style or parent::noscript or parent::template)]"
_SHOWN_TEXT = etree.XPath(f"//title/text() | {_VISIBLE}")
_BODY_TEXT = etree.XPath(_VISIBLE)


def _charset(content_type: str) -> str | None:
    message = Message()
    message["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    name = message.get_param("charset")
    return charset_name(str(name)) or None if name else None
