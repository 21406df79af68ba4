"""XML of any vocabulary: the text of its elements, in document order."""

from lxml import etree

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.records import QuarantineReason


def parse(raw: RawFile, draft: Draft) -> None:
    draft.parser = "xml"
    # Entities are not resolved: they read files of this machine, or grow a kilobyte to gigabytes.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(raw.body, parser)
    except etree.XMLSyntaxError as error:
        raise ParseError(QuarantineReason.BROKEN, f"The XML cannot be read: {error}.") from error
    for event, element in etree.iterwalk(root, events=("start",)):
        del event
        if isinstance(element.tag, str) and (element.text or "").strip():
            draft.paragraph(" ".join(filter(None, (element.text, *(child.tail for child in element)))))
        elif isinstance(element.tag, str):
            draft.paragraph(" ".join(child.tail or "" for child in element))
