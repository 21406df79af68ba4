"""Detect the kind of a body: by its content, then by the server's header, then by the name."""

import io
import re
import time
import zipfile
from dataclasses import dataclass
from math import inf
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from aion_assets.core.errors import ParseError
from aion_assets.core.fetch.file_types import KIND_OF_EXTENSION, KIND_OF_MEDIA_TYPE, Kind
from aion_assets.core.parse.charset import declared_in_content_type, declared_in_markup, decode
from aion_assets.core.records import QuarantineReason


@dataclass(slots=True)
class RawFile:
    """A fetched body with everything that was said about it."""

    body: bytes
    url: str = ""
    content_type: str = ""
    filename: str = ""
    read_until: float = inf  # time.monotonic() after which optional work is skipped

    def is_late(self) -> bool:
        return time.monotonic() > self.read_until

    @property
    def suffix(self) -> str:
        """The extension of the name, or of the URL's path, in lower case and without the dot."""
        name = self.filename or urlsplit(self.url).path
        return PurePosixPath(name).suffix.lower().lstrip(".")

    @property
    def media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    def text(self) -> str:
        declared = declared_in_content_type(self.content_type) or declared_in_markup(self.body)
        return decode(self.body, declared)


@dataclass(slots=True)
class Detected:
    kind: Kind
    remark: str = ""  # set where the content is not what the name says


_IMAGE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_KNOWN_BINARIES = (
    (b"{\\rtf", "rich text (rtf)"), (b"GIF8", "a gif image"), (b"RIFF", "a RIFF container"), (b"BM", "a bmp image"),
    (b"\x1f\x8b", "gzip data"), (b"7z\xbc\xaf", "a 7z archive"), (b"Rar!", "a rar archive"), (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"), (b"PAR1", "a parquet table"), (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"), (b"MZ", "a program"), (b"ID3", "audio"), (b"OggS", "audio"), (b"fLaC", "audio"),
    (b"\x97JB2", "a jbig2 image"), (b"\0\0\0\x0cjP", "a jpeg 2000 image"), (b"%!PS", "PostScript"),
)  # fmt: skip
_OOXML_MAIN_PARTS = {"word/": Kind.DOCX, "xl/": Kind.XLSX, "ppt/": Kind.PPTX}
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_ANY_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>")
_MAIL_START = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2,}", re.ASCII)
_MAIL_FIELD = re.compile(r"^(?:from|received|return-path|message-id|mime-version):", re.IGNORECASE | re.MULTILINE)
_CONTROLS = re.compile(rb"[\x00-\x08\x10-\x1a\x1c-\x1f]")  # not the shifts and escapes of ISO-2022


_TEXT_KINDS = frozenset(
    {Kind.HTML, Kind.MARKDOWN, Kind.PLAIN, Kind.MAIL, Kind.TABLE, Kind.RECORDS, Kind.JSON, Kind.XML}
)


def detect(raw: RawFile) -> Detected:
    """The kind of `raw`.

    Raises ParseError: EMPTY, ENCRYPTED, UNSUPPORTED (a known kind that AION does not read), WRONG_TYPE (the content is
    neither what it claims to be nor anything known).
    """
    if not raw.body:
        raise ParseError(QuarantineReason.EMPTY, "The file has 0 bytes.")
    claimed = _claim(raw)
    kind = _by_magic(raw.body, claimed) or _by_text(raw, claimed)
    said = raw.suffix if raw.suffix in KIND_OF_EXTENSION else raw.media_type
    return Detected(kind, "" if claimed in (None, kind) else f"named {said}, but its content is {kind}")


def _claim(raw: RawFile) -> Kind | None:
    by_type, by_suffix = KIND_OF_MEDIA_TYPE.get(raw.media_type), KIND_OF_EXTENSION.get(raw.suffix)
    # Browsers send what the desktop has registered: a csv as Excel, an eml as something of the mail program.
    return by_type or by_suffix


def _by_magic(body: bytes, claimed: Kind | None) -> Kind | None:
    # A PDF may begin after up to 1 024 bytes of other data. A text may contain its signature, too.
    if body.startswith(b"%PDF-") or (b"%PDF-" in body[:1024] and claimed not in _TEXT_KINDS):
        return Kind.PDF
    if body.startswith(_IMAGE_MAGIC):
        return Kind.IMAGE
    if body.startswith(b"PK\x03\x04"):
        return _by_zip(body, claimed)
    if body.startswith(_OLE_MAGIC):
        raise _ole_error(body)
    for magic, name in _KNOWN_BINARIES:
        if body.startswith(magic) and (len(magic) > 3 or _is_binary(body)):
            raise ParseError(QuarantineReason.UNSUPPORTED, f"The file is {name}, which AION does not read.")
    return None


def _by_zip(body: bytes, claimed: Kind | None) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        if claimed in _OOXML_MAIN_PARTS.values():
            raise ParseError(QuarantineReason.BROKEN, f"The {claimed} file is a damaged archive: {error}.") from error
        raise ParseError(QuarantineReason.UNSUPPORTED, f"The file is a damaged zip archive: {error}.") from error
    if "xl/workbook.bin" in names:
        raise ParseError(QuarantineReason.UNSUPPORTED, "The file is a binary workbook (xlsb).", "Save it as xlsx.")
    if "[Content_Types].xml" in names:
        for folder, kind in _OOXML_MAIN_PARTS.items():
            if any(name.startswith(folder) for name in names):
                return kind
    what = "an OpenDocument or EPUB file" if "mimetype" in names else "a zip archive"
    raise ParseError(QuarantineReason.UNSUPPORTED, f"The file is {what}, which AION does not read.")


def _ole_error(body: bytes) -> ParseError:
    """The error for OLE, the container of the old Office formats and of encrypted new ones."""
    if "EncryptedPackage".encode("utf-16-le") in body:
        return ParseError(
            QuarantineReason.ENCRYPTED, "The Office file is protected by a password.", "Add it without the password."
        )
    names = {"WordDocument": "doc", "Workbook": "xls", "Book": "xls", "PowerPoint Document": "ppt"}
    old = next((suffix for stream, suffix in names.items() if stream.encode("utf-16-le") in body), "")
    if not old:
        return ParseError(QuarantineReason.UNSUPPORTED, "The file is an OLE container, which AION does not read.")
    return ParseError(QuarantineReason.UNSUPPORTED, f"The file is a legacy .{old}.", f"Save it as {old}x.")


def _by_text(raw: RawFile, claimed: Kind | None) -> Kind:
    if _is_binary(raw.body):
        raise ParseError(
            QuarantineReason.WRONG_TYPE,
            f"The content is binary data of no known type (named {raw.filename or raw.url!r}, {raw.media_type!r}).",
        )
    head = decode(raw.body[:8192], declared_in_content_type(raw.content_type))
    if claimed is Kind.HTML:
        return Kind.HTML if _ANY_TAG.search(head) or len(raw.body) > len(head) else Kind.PLAIN
    if _HTML_START.match(head) and claimed is not Kind.MARKDOWN:
        return Kind.HTML
    if claimed in _TEXT_KINDS:
        return claimed
    start = head.lstrip()
    if start.startswith("<?xml"):
        return Kind.XML
    if start[:1] in ("{", "["):
        return Kind.JSON
    if (opening := _MAIL_START.match(head)) and _MAIL_FIELD.search(opening.group()):
        return Kind.MAIL
    return Kind.PLAIN


def _is_binary(body: bytes) -> bool:
    """Text has no control characters but blanks and escapes. `decode` recognises UTF-16 and UTF-32."""
    sample = body[:8192]
    found = len(_CONTROLS.findall(sample))
    if found <= len(sample) // 200:
        return False
    text = decode(sample)
    return sum(character.isprintable() or character in "\t\n\r\f" for character in text) < 0.9 * len(text)
