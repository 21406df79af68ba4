"""XML of any vocabulary: the text of its elements, in document order."""

import re

from lxml import etree

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft, clean
from aion_assets.core.records import QuarantineReason

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "xml"
    # Entities are not resolved: they could read files of this machine, or grow a kilobyte to gigabytes. Feeds are often
    # cut off or badly escaped, so recovery reads what it can.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True)
    markup = _DECLARATION.sub("", clean(raw.text()))  # its encoding no longer applies: the text is decoded
    try:
        root = etree.fromstring(markup.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise ParseError(QuarantineReason.BROKEN, f"The XML cannot be read: {error}.") from error
    for _, element in etree.iterwalk(root, events=("start",)) if root is not None else ():
        if isinstance(element.tag, str) and (element.text or "").strip():
            draft.paragraph(" ".join(filter(None, (element.text, *(child.tail for child in element)))))
        elif isinstance(element.tag, str):
            draft.paragraph(" ".join(child.tail or "" for child in element))
    if not draft.characters and parser.error_log:
        raise ParseError(QuarantineReason.BROKEN, f"The XML cannot be read: {parser.error_log.last_error}.")
