"""Parts of other types inside a Word document (altChunk), as programs that make reports insert them."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.fetch.media import media_type
from aion_assets.core.parse.charset import declared_in_markup, decode
from aion_assets.core.parse.draft import Draft
from aion_assets.core.parse.formats.archive import check_unpacked_size

_MAX_DEPTH = 2
_HTML = ("text/html", "application/xhtml+xml")
_WORD = "wordprocessingml"


def take_imported_parts_as_bytes() -> None:
    """Keep python-docx from reading imported parts as XML: one that is a Word file would fail the whole document."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.part import Part, PartFactory
    from docx.parts.image import ImagePart

    def part_class(content_type: str, relation_type: str) -> Any:
        return {RELATIONSHIP_TYPE.IMAGE: ImagePart, RELATIONSHIP_TYPE.A_F_CHUNK: Part}.get(relation_type)

    PartFactory.part_class_selector = staticmethod(part_class)


def write_imported(part: Any, draft: Draft, depth: int) -> bytes:
    """Write HTML and plain text into `draft`. Returns the file of a Word document for the caller to write, or b"".

    A part of another type is left out with a remark.
    """
    kind, body = media_type(part.content_type), part.blob
    suffix = str(part.partname).rpartition(".")[2].lower()
    if kind in _HTML or suffix in ("htm", "html", "xhtml"):
        _write_html(body, draft)
    elif kind == "message/rfc822" or suffix in ("mht", "mhtml"):
        _write_archive(body, draft)
    elif kind == "text/plain" or suffix == "txt":
        draft.paragraph(decode(body))
    elif _WORD in part.content_type and depth < _MAX_DEPTH:
        check_unpacked_size(body)
        return bytes(body)
    else:
        draft.note(f"an imported part of the type {kind} is not read")
    return b""


def _write_html(body: bytes, draft: Draft) -> None:
    from aion_assets.core.parse.formats.html import write_whole

    try:
        write_whole(decode(body, declared_in_markup(body)), draft)
    except ParseError:
        draft.note("an imported part of HTML cannot be read")


def _write_archive(body: bytes, draft: Draft) -> None:
    """A page with its pictures in one file, in the form of a mail."""
    message = message_from_bytes(body, _class=EmailMessage, policy=default)
    page = message.get_body(preferencelist=("html", "plain"))
    content = page.get_payload(decode=True) if page is not None else None
    if isinstance(content, bytes):
        _write_html(content, draft)
    else:
        draft.note("an imported page is not read")
