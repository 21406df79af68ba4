"""Which types of content are taken from the web, and how one is told from another."""

import codecs
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from aion_assets.core.fetch.file_types import TYPE_OF_EXTENSION

HTML = TYPE_OF_EXTENSION["html"]
OCTETS = "application/octet-stream"

# JSON on the web is an interface of a program, not a document.
WEB_TYPES = frozenset(TYPE_OF_EXTENSION.values()) - {"application/json"} | {"text/x-markdown", "application/csv"}

# What servers send when they do not know the type. The name and the first bytes then decide.
_SAYS_NOTHING = frozenset(
    {"", OCTETS, "binary/octet-stream", "application/binary", "application/force-download", "application/download",
     "application/x-download", "unknown/unknown", "application/unknown", "application/zip", "application/x-zip",
     "application/x-zip-compressed", "application/save", "application/x-octet-stream", "application/x-msdownload"}
)  # fmt: skip

# What servers without a table of types, and scripts that hand out files, send for all files of a program. A file of the
# old formats, which these types mean, is not taken.
_SAYS_PROGRAM = frozenset(
    {"application/msword", "application/vnd.ms-word", "application/doc", "application/vnd.ms-excel",
     "application/msexcel", "application/x-msexcel", "application/x-excel", "application/excel", "application/x-xls",
     "application/xls", "application/vnd.ms-powerpoint", "application/mspowerpoint", "application/powerpoint",
     "application/x-pdf", "application/acrobat", "text/pdf", "application/x-csv", "text/x-csv",
     "text/comma-separated-values", "text/x-comma-separated-values", "application/vnd.openxmlformats",
     "application/vnd.ms-office", "application/x-tika-ooxml"}
)  # fmt: skip
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE_PARTS = ((b"word/document.xml", "docx"), (b"xl/workbook.xml", "xlsx"), (b"ppt/presentation.xml", "pptx"))

# Extensions that are never documents: addresses with them are not requested.
_NEVER_A_DOCUMENT = frozenset(
    """7z aac apk atom avi avif bin bmp bz2 class css deb dmg doc eot epub exe flac flv gif gz ico ics iso jar js jsonl
    key m4a m4v map mid mjs mkv mobi mov mp3 mp4 mpeg mpg msi numbers ods odp odt ogg ogv otf pages pkg ppt ps rar rdf
    rpm rss rtf svg swf tar tgz torrent ttf wasm wav webm webmanifest webp wmv woff woff2 xls xz zip zst""".split()
)


def extension_of(name: str) -> str:
    """Extension of a path or of a URL's path, in lower case and without the dot."""
    return PurePosixPath(name).suffix[1:].lower()


def filename_of(url: str, headers: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a browser would call the file: from `headers` (lower-case names), else from the path; "" for a folder."""
    from email.message import Message

    if disposition := headers.get("content-disposition", ""):
        message = Message()
        message["Content-Disposition"] = disposition.replace("\r", " ").replace("\n", " ")
        if name := message.get_filename():
            return PurePosixPath(name.replace("\\", "/")).name.encode("utf-8", "replace").decode()
    path = urlsplit(url).path
    return "" if path.endswith("/") else unquote(PurePosixPath(path).name)


def is_never_a_document(url: str) -> bool:
    return extension_of(urlsplit(url).path) in _NEVER_A_DOCUMENT


# Codecs of Python that are no charsets of documents: they run escapes, or turn harmless text into markup.
_NO_CHARSETS = frozenset({"unicode_escape", "raw_unicode_escape", "idna", "punycode", "utf_7", "undefined", "charmap"})


def charset_name(declared: str) -> str:
    """Python's name of a charset that a server or a page declares, "" for what is none."""
    try:
        found = codecs.lookup(declared)
    except (LookupError, ValueError):
        return ""
    is_charset = getattr(found, "_is_text_encoding", True) and found.name.replace("-", "_") not in _NO_CHARSETS
    return found.name if is_charset else ""


def media_type(content_type: str) -> str:
    """The bare type of a Content-Type header, in lower case and without parameters."""
    return content_type.partition(";")[0].strip().lower()


def may_be_taken(content_type: str, filename: str) -> bool:
    """Whether the body may be a document, as far as the headers tell."""
    declared = media_type(content_type)
    return declared in WEB_TYPES or (
        declared in _SAYS_NOTHING | _SAYS_PROGRAM and (TYPE_OF_EXTENSION.get(extension_of(filename), HTML) in WEB_TYPES)
    )


def type_of_answer(content_type: str, filename: str, body: bytes) -> str:
    """The type to record for a web answer, with its parameters; "" when it is not an accepted document.

    A header that names a type is believed unless the body contradicts it: text cannot hold NUL bytes, and a page has
    elements. Servers label downloads as text/html or text/plain when nobody configured a type, and all files of a
    program alike.
    """
    declared = media_type(content_type)
    recognised = _recognise(body, filename)
    if declared in WEB_TYPES:
        if declared.startswith("text/") and _is_binary(body):
            return recognised
        named = TYPE_OF_EXTENSION.get(extension_of(filename), "")
        if declared == HTML and named.startswith("text/") and named != HTML and b"<" not in body[:4096]:
            return named
        return content_type.strip()
    if declared in _SAYS_PROGRAM:
        return recognised or _table_of_text(declared, body)
    return recognised if declared in _SAYS_NOTHING else ""


def _table_of_text(declared: str, body: bytes) -> str:
    """A table that a script sends as Excel, without a name that tells."""
    is_table = "excel" in declared or "csv" in declared or "comma" in declared or declared.endswith("xls")
    return TYPE_OF_EXTENSION["csv"] if is_table and not body.startswith(_OLE_MAGIC) and not _is_binary(body) else ""


def _is_binary(body: bytes) -> bool:
    head = body[:1024]
    return b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))


def _recognise(body: bytes, filename: str) -> str:
    by_name = TYPE_OF_EXTENSION.get(extension_of(filename), "")
    head = body[:512].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return "application/pdf"
    if body.startswith(b"\x89PNG\r\n"):
        return "image/png"
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body.startswith((b"II*\0", b"MM\0*")):
        return "image/tiff"
    if body.startswith(b"PK\x03\x04"):  # office formats are zip files, and the names of their parts are not packed
        found = next((suffix for part, suffix in _OFFICE_PARTS if part in body), "")
        return TYPE_OF_EXTENSION[found] if found else by_name if "openxml" in by_name else ""
    if body.startswith(_OLE_MAGIC):
        return ""
    if head.startswith((b"<!doctype html", b"<html")):
        return HTML
    return by_name if by_name.startswith(("text/", "message/")) and not _is_binary(body) else ""
