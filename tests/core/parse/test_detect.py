"""What a file is taken for: content first, then what was said of it."""

import io
import zipfile
from collections.abc import Callable

import pytest

from aion_assets.core.fetch.file_types import Kind
from aion_assets.core.parse.detect import RawFile, detect
from aion_assets.core.records import QuarantineReason

PDF = b"%PDF-1.4\n1 0 obj\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type", "filename", "kind"),
    [
        (PDF, "", "relatorio.docx", Kind.PDF),
        (b"\x89PNG\r\n\x1a\n....", "text/html", "", Kind.IMAGE),
        (archive("[Content_Types].xml", "word/document.xml"), "", "ata.pdf", Kind.DOCX),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "", "", Kind.XLSX),
        (archive("[Content_Types].xml", "ppt/presentation.xml"), "", "", Kind.PPTX),
        (b"<!DOCTYPE html><p>Pagina de erro</p>", "", "dados.csv", Kind.HTML),
        (b"a;b\n1;2\n", "application/vnd.ms-excel", "dados.csv", Kind.TABLE),
        (b"a,b\n1,2\n", "text/plain; charset=utf-8", "dados.csv", Kind.TABLE),
        (b"<p>About the header %PDF-1.7", "text/html", "", Kind.HTML),
        (b"\n\n%PDF-1.7\n", "application/pdf", "", Kind.PDF),
        (b"# Titulo\n", "text/plain", "LEIAME.md", Kind.MARKDOWN),
        (b'{"text": "x"}', "application/x-ndjson", "", Kind.RECORDS),
        (b'{"text": "x"}', "", "", Kind.JSON),
        (b"From: a@b.c\r\nSubject: x\r\n\r\nbody", "", "", Kind.MAIL),
        (b"Nome: valor\nOutro: valor\n", "", "", Kind.PLAIN),
        (b"apenas texto", "text/html", "", Kind.PLAIN),
        ("<html><p>olá</p>".encode("utf-16"), "text/html", "", Kind.HTML),
    ],
)
def test_the_content_decides_what_a_file_is(body: bytes, content_type: str, filename: str, kind: Kind) -> None:
    assert detect(RawFile(body, "", content_type, filename)).kind is kind


def test_a_wrong_name_is_remarked_and_a_right_one_is_not() -> None:
    assert detect(RawFile(PDF, "", "", "ata.docx")).remark == "named docx, but its content is pdf"
    assert detect(RawFile(PDF, "", "", "ata.pdf")).remark == ""


@pytest.mark.parametrize(
    ("body", "filename", "reason"),
    [
        (b"", "vazio.png", QuarantineReason.EMPTY),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.docx", QuarantineReason.ENCRYPTED),
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", QuarantineReason.UNSUPPORTED),
        (bytes(range(256)) * 20, "a.docx", QuarantineReason.WRONG_TYPE),
        (archive("mimetype", "content.xml"), "a.odt", QuarantineReason.UNSUPPORTED),
        (archive("word/document.xml")[:40], "a.docx", QuarantineReason.BROKEN),
        (b"GIF89a\0\0\0\0", "a.gif", QuarantineReason.UNSUPPORTED),
        (b"   \n\t ", "a.txt", QuarantineReason.NO_TEXT),
    ],
)
def test_what_cannot_be_read_has_one_clear_reason(
    reason_of: Callable[..., str], body: bytes, filename: str, reason: str
) -> None:
    assert reason_of(body, filename) == reason
