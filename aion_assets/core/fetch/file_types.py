"""The one table of file types: what AION reads, under which names and media types."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a parser is for."""

    HTML = "html"
    MARKDOWN = "md"
    PLAIN = "txt"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    MAIL = "eml"
    TABLE = "csv"
    RECORDS = "jsonl"
    JSON = "json"
    XML = "xml"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class FileType:
    """`taken` are extensions that folders, uploads and sites are searched for; files of the `further` ones are read
    when they come all the same. `aliases` are media types that say the same."""

    kind: Kind
    media_type: str
    taken: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


_OFFICE = "application/vnd.openxmlformats-officedocument."
FILE_TYPES = (
    FileType(Kind.HTML, "text/html", ("html", "htm"), ("shtml",)),
    FileType(Kind.HTML, "application/xhtml+xml", ("xhtml",)),
    FileType(Kind.MARKDOWN, "text/markdown", ("md", "markdown"), ("mdown",)),
    FileType(Kind.PLAIN, "text/plain", ("txt",), ("text", "log")),
    FileType(Kind.PDF, "application/pdf", ("pdf",)),
    FileType(Kind.DOCX, f"{_OFFICE}wordprocessingml.document", ("docx",), ("docm",)),
    FileType(Kind.XLSX, f"{_OFFICE}spreadsheetml.sheet", ("xlsx",), ("xlsm",)),
    FileType(Kind.PPTX, f"{_OFFICE}presentationml.presentation", ("pptx",), ("pptm", "ppsx")),
    FileType(Kind.MAIL, "message/rfc822", ("eml",)),
    FileType(Kind.TABLE, "text/csv", ("csv",), ("tab",)),
    FileType(Kind.TABLE, "text/tab-separated-values", ("tsv",)),
    FileType(Kind.JSON, "application/json", ("json",)),
    FileType(Kind.IMAGE, "image/png", ("png",)),
    FileType(Kind.IMAGE, "image/jpeg", ("jpg", "jpeg")),
    FileType(Kind.IMAGE, "image/tiff", ("tif", "tiff")),
    FileType(Kind.RECORDS, "application/x-ndjson", (), ("jsonl", "ndjson"), ("application/jsonl",)),
    FileType(Kind.XML, "application/xml", (), ("xml",), ("text/xml",)),
)

TYPE_OF_EXTENSION: Mapping[str, str] = MappingProxyType(
    {extension: item.media_type for item in FILE_TYPES for extension in item.taken}
)
KIND_OF_EXTENSION: Mapping[str, Kind] = MappingProxyType(
    {extension: item.kind for item in FILE_TYPES for extension in (*item.taken, *item.further)}
)
# text/plain says nothing: servers send it for whatever they do not know.
KIND_OF_MEDIA_TYPE: Mapping[str, Kind] = MappingProxyType(
    {name: item.kind for item in FILE_TYPES if item.kind != Kind.PLAIN for name in (item.media_type, *item.aliases)}
)
