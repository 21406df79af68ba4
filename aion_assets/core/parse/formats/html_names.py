"""Parts of a page whose id or class sounds like furniture, although they hold content.

`id="assistencia-social"` is a section on social assistance, not a box of links to networks. Both readers of pages drop
parts by single words of these names. What a part holds tells better.
"""

import re
import unicodedata

from lxml.etree import _Element

from aion_assets.core.parse.draft import one_line

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PARTS = ("section", "div", "article")
# Words that furniture is named by: by themselves, in compounds with each other, and with the words of layout.
_FURNITURE = frozenset(
    """ad ads advert advertisement adsense anuncio anuncios author autor banner banners bar barra bio bloco block bottom
    box breadcrumb breadcrumbs btn button buttons byline col column comment comments component compartilhar compartilhe
    consent container content cookie cookies embed embedded footer footers grid group header icon icons inner item items
    js left level links list main mais media menu menus meta mobile modal more nav navbar navigation news newsletter
    newsletters outer overlay page pager pagination panel popular popup post posts premium promo promoted publicidade
    recommended redes region related relacionadas relacionados respond reply right rodape row section share shares
    sharing sidebar sidebars site slide slider social socials sociais sponsor sponsored sticky stories story subscribe
    tag tags teaser text toolbar top twitter facebook instagram whatsapp linkedin ui view viral widget widgets wp wrap
    wrapper""".split()
)
_MAY_BE_SUBJECTS = frozenset(
    ("social", "publicidade", "propaganda", "anuncio", "anuncios", "banner", "banners", "patrocinio")
)
_SUSPECT = re.compile(
    r"(?:^|[\s_-])(?:ads?|adverti\w*|an[uú]ncios?|banner|comments?|cookies?|embed\w*|footer|menu|meta|nav|navigation|"
    r"newsletter|pager|pagination|premium|promo\w*|publicidade|related|relacionad[ao]s|share|sharing|sidebar|slide|"
    r"social|socia[il]s?|sponsor\w*|tags?|viral|widget|author|consent|permission|rating|options|attachment|bar)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MIN_SENTENCE_CHARS = 40
_MAX_LINK_SHARE = 0.3
_STEM = 5


def clear_misleading_names(tree: _Element) -> None:
    """Take away the id and class of parts that are named after their subject. Their headings keep the id."""
    for element in tree.iter(*_PARTS):
        identifier, names = element.get("id") or "", element.get("class") or ""
        if not _SUSPECT.search(_CAMEL.sub(" ", f"{identifier} {names}")):
            continue
        heading = next(element.iter(*_HEADINGS), None)
        if heading is None or not _holds_text(element, heading):
            continue
        title = _words(one_line("".join(heading.itertext())))
        if any(_names_subject(name, title) for name in names.split()):
            del element.attrib["class"]
        if _names_subject(identifier, title):
            del element.attrib["id"]
            if not heading.get("id"):
                heading.set("id", identifier)


def _names_subject(name: str, title: set[str]) -> bool:
    """Whether a name has one of furniture's words beside another one that the heading says: "publicidade-legal". A word
    by itself may be the subject where the heading says it. "-social" is an adjective in "seguridade-social", and stands
    with words of furniture in "social-share-box".
    """
    if not _SUSPECT.search(_CAMEL.sub(" ", name)):
        return False
    words = _words(_CAMEL.sub(" ", name))
    subjects = {word for word in words if len(word) > 3 and word not in _FURNITURE}
    if subjects and ("social" in words or any(word[:_STEM] == said[:_STEM] for word in subjects for said in title)):
        return True
    return bool(words) and words <= title and words <= _MAY_BE_SUBJECTS


def _words(text: str) -> set[str]:
    plain = unicodedata.normalize("NFD", text.lower())
    return set(_WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign)).replace("_", " ")))


def _holds_text(element: _Element, heading: _Element) -> bool:
    """Whether a part has sentences beside its heading, and few links."""
    text = one_line("".join(element.itertext()))
    links = sum(len(one_line("".join(link.itertext()))) for link in element.iter("a"))
    sentences = len(text) - len(one_line("".join(heading.itertext())))
    return sentences >= _MIN_SENTENCE_CHARS and "." in text and links <= _MAX_LINK_SHARE * len(text)
