"""The headings and lists that trafilatura dropped from a page whose content nothing marks.

Where it finds no article it gathers paragraphs alone, wherever they stand. What stands between them belongs to the
text, too, and so do the headings that lead to the first one and the list that follows the last.
"""

from collections.abc import Collection, Iterator, Sequence
from copy import deepcopy

from lxml import etree
from lxml.etree import _Element

from aion_assets.core.parse.formats.html_blocks import BLOCKS, HEADINGS, is_chrome, is_link_list, shown_length

_LISTS = ("ul", "ol", "dl", "table", "pre")
# So many letters tell a paragraph from others.
_TOLD_BY = 40


def with_what_stands_between(found: _Element, body: _Element, title: str) -> _Element | None:
    """The paragraphs of `found` with the headings and lists of `body` among them; None where `found` has any of its
    own, or there are none. Both stay as they are. A first heading that only says the `title` of the page is left out.
    """
    if next(found.iter(*HEADINGS), None) is not None:
        return None
    paragraphs = [letters for element in found.iter("p", "blockquote") if (letters := _letters(element))]
    known = {letters[:_TOLD_BY] for letters in paragraphs}
    blocks = _kept([*_blocks(body, known)], known)
    texts = [place for place, block in enumerate(blocks) if not _is_structure(block)]
    if not texts or len(texts) == len(blocks):
        return None
    first, last = texts[0], texts[-1]
    while first and _leads(blocks[first - 1], blocks[first], title):
        first -= 1
    while last + 1 < len(blocks) and blocks[last + 1] is blocks[last].getnext():
        last += 1
    page = etree.Element("body")
    for block in blocks[first : last + 1]:
        page.append(deepcopy(block))
        page[-1].tail = None
    return page


def _blocks(element: _Element, known: Collection[str]) -> Iterator[_Element]:
    """Headings, lists, tables and paragraphs in reading order, without the furniture of the page. A table that lays out
    paragraphs which are known is none.
    """
    for child in element:
        if is_chrome(child) or not shown_length(child):
            continue
        lays_out = child.tag == "table" and any(_letters(one)[:_TOLD_BY] in known for one in child.iter("p", "div"))
        is_leaf = child.tag in BLOCKS and not any(below is not child for below in child.iter(*BLOCKS))
        if is_leaf or (_is_structure(child) and not lays_out):
            yield child
        else:
            yield from _blocks(child, known)


def _kept(blocks: Sequence[_Element], known: Collection[str]) -> list[_Element]:
    """Without lists of links, paragraphs that are not known, and headings above nothing else."""
    kept: list[_Element] = []
    is_above_kept = False
    for block in reversed(blocks):
        if block.tag not in HEADINGS:
            is_above_kept = not is_link_list(block) if block.tag in _LISTS else _letters(block)[:_TOLD_BY] in known
        if is_above_kept:
            kept.insert(0, block)
    return kept


def _leads(before: _Element, block: _Element, title: str) -> bool:
    """Whether it is a list right before the block, or a heading that leads to it: what stands next to it begins with
    the block. Of several headings, one above the other, each is of a higher level.
    """
    if before.tag in _LISTS:
        return before.getnext() is block
    if before.getnext() not in (block, *block.iterancestors()) or (block.tag in HEADINGS and before.tag >= block.tag):
        return False
    return before.tag != "h1" or _letters(before) not in "".join(filter(str.isalnum, title))


def _is_structure(block: _Element) -> bool:
    return block.tag in (*HEADINGS, *_LISTS)


def _letters(element: _Element) -> str:
    return "".join(filter(str.isalnum, "".join(element.itertext())))
