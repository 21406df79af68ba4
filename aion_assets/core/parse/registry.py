"""One parser per kind of file, imported with its first file: some, such as trafilatura, are slow to load."""

from collections.abc import Callable
from importlib import import_module

from aion_assets.core.errors import ParseError
from aion_assets.core.fetch.file_types import Kind
from aion_assets.core.parse.detect import RawFile, detect
from aion_assets.core.parse.draft import Draft
from aion_assets.core.records import ParsedDocument, QuarantineReason

ParseFunction = Callable[[RawFile, Draft], None]

_PACKAGE = "aion_assets.core.parse.formats"
PARSERS: dict[Kind, tuple[str, str]] = {
    Kind.HTML: ("html", "parse"),
    Kind.MARKDOWN: ("markdown", "parse"),
    Kind.PLAIN: ("plain", "parse"),
    Kind.PDF: ("pdf", "parse"),
    Kind.DOCX: ("docx", "parse"),
    Kind.XLSX: ("xlsx", "parse"),
    Kind.PPTX: ("pptx", "parse"),
    Kind.MAIL: ("mail", "parse"),
    Kind.TABLE: ("table", "parse"),
    Kind.RECORDS: ("json_records", "parse_records"),
    Kind.JSON: ("json_records", "parse_json"),
    Kind.XML: ("xml", "parse"),
    Kind.IMAGE: ("image", "parse"),
}


def parser_for(kind: Kind) -> ParseFunction:
    module, function = PARSERS[kind]
    parser: ParseFunction = getattr(import_module(f"{_PACKAGE}.{module}"), function)
    return parser


def parse_bytes(body: bytes, *, url: str, content_type: str, filename: str) -> ParsedDocument:
    """Parse `body` in this process and without limits. Foreign files belong into `sandbox.pool.parse_all`.

    Raises ParseError: carries the reason for the quarantine.
    """
    return parse_noted(RawFile(body, url, content_type, filename))[0]


def parse_noted(raw: RawFile) -> tuple[ParsedDocument, str]:
    """The document and a remark for the curator ("named docx, but its content is pdf"), "" for none.

    Raises ParseError: carries the reason for the quarantine.
    """
    from aion_assets.core.language.identify import identify

    detected = detect(raw)
    draft = Draft()
    draft.note(detected.remark)
    try:
        parser_for(detected.kind)(raw, draft)
    except RecursionError as error:
        raise ParseError(QuarantineReason.BROKEN, f"The {detected.kind} file is nested too deeply.") from error
    document = draft.finish(url=raw.url, filename=raw.filename)
    document.lang = identify(document.text, draft.lang)
    return document, "; ".join(filter(None, draft.notes))
