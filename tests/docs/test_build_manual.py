"""The manual's files are of the types they claim, readable by those types' own libraries, and the same each time."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import docx
import lxml.html
import pypdfium2
import pytest
from PIL import Image

Build = Callable[..., str]
LANGUAGES = ("pt", "en")
PAGE = {"pt": "página", "en": "page"}


def files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_chapter_is_built_once_and_every_type_is_there(docs: Path, manual: Path, lang: str) -> None:
    built = list((manual / lang).iterdir())
    assert sorted(path.name[:2] for path in built) == sorted(path.name[:2] for path in (docs / lang).glob("*.md"))
    assert {path.suffix for path in built} == {".md", ".html", ".pdf", ".docx", ".csv", ".png"}


def test_two_builds_are_the_same_bytes(build_manual: Build, manual: Path, tmp_path: Path) -> None:
    build_manual(tmp_path, hash_seed=1)
    assert files(tmp_path) == files(manual)


def test_a_second_build_touches_only_what_is_not_right(build_manual: Build, manual: Path, tmp_path: Path) -> None:
    out = tmp_path / "manual"
    shutil.copytree(manual, out)
    (out / "pt" / "01-o-que-e-o-aion.md").write_text("spoilt")
    untouched = out / "pt" / "08-perguntas-e-respostas.md"
    before = untouched.stat().st_mtime_ns
    assert f"{len(files(manual))} files" in build_manual(out)
    assert untouched.stat().st_mtime_ns == before
    assert files(out) == files(manual)


def test_a_chapter_that_is_no_more_is_removed_and_foreign_files_stay(
    build_manual: Build, manual: Path, tmp_path: Path
) -> None:
    out = tmp_path / "manual"
    shutil.copytree(manual, out)
    (out / "en" / "18-withdrawn.html").write_text("of an earlier build")
    (out / "en" / "01-what-aion-is.pdf").write_text("of an earlier build")
    (out / "en" / "notes.txt").write_text("somebody's own")
    build_manual(out)
    assert files(out) == files(manual) | {Path("en/notes.txt"): b"somebody's own"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_web_pages_name_their_language_and_every_heading_has_its_own_id(manual: Path, lang: str) -> None:
    for path in (manual / lang).glob("*.html"):
        page = lxml.html.document_fromstring(path.read_bytes())
        headings = page.xpath("//h1|//h2|//h3")
        ids = [heading.get("id") for heading in headings]
        assert page.get("lang", "").startswith(lang)
        assert page.findtext(".//title") == headings[0].text_content()
        assert len(ids) > 3
        assert all(ids)
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pdf_pages_end_with_their_number_and_keep_accents(manual: Path, lang: str) -> None:
    for path in (manual / lang).glob("*.pdf"):
        with pypdfium2.PdfDocument(path) as document:
            texts = [page.get_textpage().get_text_range() for page in document]
            outline = [entry.get_title() for entry in document.get_toc()]
        assert len(texts) > 1
        for number, text in enumerate(texts, 1):
            assert text.splitlines()[-1] == f"{PAGE[lang]} {number}"
        assert outline[0] == texts[0].splitlines()[0]
        assert len(outline) > 5


@pytest.mark.parametrize("lang", LANGUAGES)
def test_word_documents_have_headings_and_tables(manual: Path, lang: str) -> None:
    for path in (manual / lang).glob("*.docx"):
        document = docx.Document(str(path))
        styles = [paragraph.style.name for paragraph in document.paragraphs if paragraph.style]
        assert styles[0] == "Heading 1"
        assert document.tables
        assert (document.core_properties.language or "").startswith(lang)


@pytest.mark.parametrize(("lang", "encoding", "delimiter"), [("pt", "latin-1", ";"), ("en", "utf-8", ",")])
def test_the_csv_is_written_as_spreadsheets_of_its_language_do(
    manual: Path, lang: str, encoding: str, delimiter: str
) -> None:
    text = next((manual / lang).glob("*.csv")).read_bytes().decode(encoding)
    rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
    assert {len(row) for row in rows} == {4}
    assert "Padrão" in rows[0] or lang == "en"


@pytest.mark.parametrize(
    ("lang", "sentences"),
    [
        ("pt", ["Veja a fila de curadoria com aion curate list.", "Só conteúdo de fonte confiável é aprovado"]),
        ("en", ["Look at the curation queue with aion curate list.", "The server stays on 127.0.0.1"]),
    ],
)
def test_the_scan_is_grey_has_200_dpi_and_ocr_reads_it(manual: Path, lang: str, sentences: list[str]) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("Tesseract is not installed")
    import pytesseract

    with Image.open(next((manual / lang).glob("*.png"))) as scan:
        assert scan.mode == "L"
        assert scan.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        text = " ".join(pytesseract.image_to_string(scan, lang="por+eng").split())
    for sentence in sentences:
        assert sentence in text


@pytest.mark.parametrize(
    ("markdown", "complaint"),
    [
        ("No title.", "begins with its title"),
        ("# Title\n\n> quoted", "line 3: blockquote_open is not used"),
        ("# Title\n\nA [link](x).", "link_open"),
        ("# Title\n\n- item\n    - nested", "a list holds bullet_list_open"),
    ],
)
def test_markdown_that_a_format_would_drop_is_refused(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, markdown: str, complaint: str
) -> None:
    monkeypatch.syspath_prepend(str(docs))
    from manual_formats.blocks import ManualError, read_chapter

    chapter = tmp_path / "01-chapter.md"
    chapter.write_text(markdown)
    with pytest.raises(ManualError, match=complaint):
        read_chapter(chapter, "en")


@pytest.mark.parametrize(
    ("module", "renderer", "markdown", "complaint"),
    [
        ("pdf", "render_pdf", "# Title\n\nτ is a threshold", "Vera.ttf has no τ"),
        ("scan", "render_scan", "# Title\n\n" + "A line of text.\n\n" * 60, "pixels too long"),
        ("scan", "render_scan", "# Title\n\n| a |\n|---|\n| b |", "no table"),
        ("table", "render_csv", "# Title\n\nText.", "not just a title and one table"),
    ],
)
def test_what_a_format_cannot_show_is_refused(
    docs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    renderer: str,
    markdown: str,
    complaint: str,
) -> None:
    monkeypatch.syspath_prepend(str(docs))
    from importlib import import_module

    from manual_formats.blocks import ManualError, read_chapter

    chapter = tmp_path / "01-chapter.md"
    chapter.write_text(markdown)
    with pytest.raises(ManualError, match=complaint):
        getattr(import_module(f"manual_formats.{module}"), renderer)(read_chapter(chapter, "pt"))
