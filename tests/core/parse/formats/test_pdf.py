"""PDF: pages, headings, columns, hyphens, passwords and scans."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from shutil import which

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from aion_assets.core.parse import parse_bytes
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.formats import ocr
from aion_assets.core.parse.registry import parse_noted
from aion_assets.core.records import ParsedDocument, QuarantineReason

Drawn = tuple[float, float, int, str]  # x, y, font size, text
Parse = Callable[..., ParsedDocument]
needs_tesseract = pytest.mark.skipif(which("tesseract") is None, reason="Tesseract is not installed")


def pdf(
    *pages: list[Drawn],
    outline: bool = False,
    encrypt: StandardEncryption | None = None,
    code: Sequence[Drawn] = (),
) -> bytes:
    """A file of these pages; with `outline`, each is an entry "Parte n". What is `code` is set in a fixed pitch."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, encrypt=encrypt)
    for number, page in enumerate(pages):
        for drawn in page:
            x, y, size, text = drawn
            canvas.setFont("Courier" if drawn in code else "Helvetica", size)
            canvas.drawString(x, y, text)
        if outline:
            canvas.bookmarkPage(str(number))
            canvas.addOutlineEntry(f"Parte {number + 1}", str(number), level=0)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


PARAGRAPH = [
    (72, 700, 11, "O servidor que completar o tempo previsto nesta norma fará jus ao adicional"),
    (72, 686, 11, "de permanência, pago mensalmente pelo órgão de lotação até a aposentadoria"),
    (72, 672, 11, "voluntária ou compulsória."),
]


def test_lines_become_paragraphs_and_large_type_headings_on_their_page(parse: Parse) -> None:
    document = parse(pdf([(72, 740, 18, "Regimento Interno"), *PARAGRAPH], [(72, 700, 11, "Segunda página.")]))
    assert document.text == (
        "Regimento Interno\n\nO servidor que completar o tempo previsto nesta norma fará jus ao adicional de "
        "permanência, pago mensalmente pelo órgão de lotação até a aposentadoria voluntária ou compulsória.\n\n"
        "Segunda página."
    )
    assert [(a.page, a.heading) for a in document.anchors] == [(1, "Regimento Interno"), (2, "Regimento Interno")]
    assert document.text[document.anchors[1].offset :] == "Segunda página."
    assert document.title == "Regimento Interno"


def test_lines_of_code_are_one_block_and_typewritten_text_is_none(parse: Parse) -> None:
    code = [(72, 640 - 14 * row, 11, text) for row, text in enumerate(("aion release list", "aion release diff A B"))]
    in_prose = pdf([*PARAGRAPH, *code, (72, 600, 11, "aion run"), (130, 600, 11, "começa uma execução.")], code=code)
    *_, block, sentence = parse(in_prose).text.split("\n\n")
    assert (block, sentence) == ("aion release list\naion release diff A B", "aion run começa uma execução.")
    assert parse(pdf(PARAGRAPH, code=PARAGRAPH)).text == parse(pdf(PARAGRAPH)).text


def test_rows_of_a_table_are_not_run_together(parse: Parse) -> None:
    rows = [(72, 700 - 14 * row, 11, f"Item {row}") for row in range(3)]
    prices = [(400, 700 - 14 * row, 11, f"R$ {row},00") for row in range(3)]
    table = [cell for pair in zip(rows, prices, strict=True) for cell in pair]
    assert parse(pdf(table)).text == "Item 0 R$ 0,00\n\nItem 1 R$ 1,00\n\nItem 2 R$ 2,00"


def test_an_outline_gives_the_headings(parse: Parse) -> None:
    first, second = [(72, 700, 11, "Parte 1"), (72, 600, 11, "Texto um.")], [(72, 700, 11, "Texto dois.")]
    document = parse(pdf(first, second, outline=True))
    assert document.text == "Parte 1\n\nTexto um.\n\nTexto dois."
    assert [(a.page, a.heading) for a in document.anchors] == [(1, "Parte 1"), (2, "Parte 2")]


def test_running_heads_and_page_numbers_are_left_out(parse: Parse) -> None:
    pages = [
        [
            (72, 800, 9, "Prefeitura de Cotia"),
            *PARAGRAPH,
            (72, 600, 11, f"Assunto {'abcde'[n]}."),
            (280, 30, 9, f"Página {n} de 5"),
        ]
        for n in range(5)
    ]
    text = parse(pdf(*pages)).text
    assert "Prefeitura" not in text and "Página" not in text
    assert text.count("O servidor") == 5 and "Assunto e." in text


def test_rows_of_a_long_table_are_no_running_heads_though_only_their_figures_differ(parse: Parse) -> None:
    rows = [f"Produto {1000 + 7 * n} custa R$ {n * 3 % 97},{n % 90 + 10}" for n in range(6 * 48)]
    pages = [
        [(57, 775 - 15 * n, 11, row) for n, row in enumerate(rows[start : start + 48])] for start in range(0, 288, 48)
    ]
    text = " ".join(parse(pdf(*pages)).text.split())
    assert [row for row in rows if row not in text] == []


def test_what_stands_alone_on_numbered_pages_is_the_text(parse: Parse) -> None:
    assert parse(pdf(*([(72, 800, 11, f"Caixa {n} do arquivo")] for n in range(5)))).text.startswith("Caixa 0")


def test_a_password_is_asked_for_only_where_reading_needs_one(parse: Parse, reason_of: Callable[..., str]) -> None:
    locked = pdf([(72, 700, 11, "segredo")], encrypt=StandardEncryption("senha", "dono"))
    assert reason_of(locked) == QuarantineReason.ENCRYPTED
    readable = pdf([(72, 700, 11, "publico")], encrypt=StandardEncryption("", "dono", canModify=0))
    assert parse(readable).text == "publico"


def test_a_blank_page_and_a_broken_file_have_their_reasons(reason_of: Callable[..., str]) -> None:
    assert reason_of(pdf([])) == QuarantineReason.NO_TEXT
    assert reason_of(b"%PDF-1.7\nnot really") == QuarantineReason.BROKEN


def test_a_broken_page_costs_no_other_its_text(reason_of: Callable[..., str]) -> None:
    whole = pdf(*([(72, 700, 11, f"Texto da parte {'abcd'[n]}.")] for n in range(4)))
    pages = re.findall(rb"<<\n/Contents.*?(?=\nendobj)", whole, re.DOTALL)
    damaged = whole.replace(pages[2], b"null".ljust(len(pages[2])))
    document, remark = parse_noted(RawFile(damaged))
    assert document.text == "Texto da parte a.\n\nTexto da parte b.\n\nTexto da parte d."
    assert document.anchors[-1].page == 4 and remark == "page 3 cannot be read"
    for page in pages:
        damaged = damaged.replace(page, b"null".ljust(len(page)))
    assert reason_of(damaged) == QuarantineReason.BROKEN


def scanned_pdf(original: bytes) -> bytes:
    """The pages of a PDF as pictures in another one."""
    import pypdfium2

    source = pypdfium2.PdfDocument(original)
    pictures = [page.render(scale=200 / 72).to_pil() for page in source]
    source.close()
    file = io.BytesIO()
    pictures[0].save(file, "PDF", save_all=True, append_images=pictures[1:], resolution=200)
    return file.getvalue()


@needs_tesseract
def test_scanned_pages_are_read_by_tesseract(parse: Parse) -> None:
    document = parse(scanned_pdf(pdf(PARAGRAPH, [(72, 700, 11, "A segunda página da digitalização.")])))
    assert "adicional de permanência, pago mensalmente pelo órgão" in document.text
    assert [anchor.page for anchor in document.anchors] == [1, 2]
    assert document.lang == "pt"


@pytest.fixture
def without_tesseract(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PATH", str(tmp_path))
    ocr._installed_languages.cache_clear()
    yield
    ocr._installed_languages.cache_clear()


@pytest.mark.usefixtures("without_tesseract")
def test_a_scan_without_tesseract_says_what_is_missing(reason_of: Callable[..., str]) -> None:
    assert reason_of(scanned_pdf(pdf(PARAGRAPH))) == QuarantineReason.OCR_MISSING


def test_columns_are_read_one_after_the_other(shared_data: Path) -> None:
    path = shared_data / "documents/pypdf_samples/026-latex-multicolumn/multicolumn.pdf"
    text = parse_bytes(path.read_bytes(), url="", content_type="", filename=path.name).text
    assert "consectetuer adipiscing elit. Ut purus elit, vestibulum ut, placerat ac, adipiscing vitae" in text


def canvas_file(draw: Callable[[Canvas], None]) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.setFont("Helvetica", 11)
    draw(canvas)
    canvas.save()
    return file.getvalue()


def test_struck_out_lines_are_left_out_and_underlined_ones_and_tables_stay() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 740, "Art. 8º A taxa é de R$ 60,00 ao ano.")
        canvas.line(72, 743, 72 + canvas.stringWidth("Art. 8º A taxa é de R$ 60,00 ao ano."), 743)
        canvas.drawString(72, 700, "Art. 8º A taxa é de R$ 75,00 ao ano.")
        canvas.line(72, 698.5, 300, 698.5)
        gone = "Art. 9º Idosos pagam metade."
        canvas.drawString(72, 660, gone + " (Revogado pela Lei 12)")
        canvas.rect(72, 662.6, canvas.stringWidth(gone), 0.7, stroke=0, fill=1)
        canvas.grid([70, 160, 260], [600, 616])
        canvas.drawString(74, 604, "Areia")
        canvas.drawString(164, 604, "R$ 3")

    document, remark = parse_noted(RawFile(canvas_file(draw)))
    assert document.text == "Art. 8º A taxa é de R$ 75,00 ao ano.\n\nArt. 9º (Revogado pela Lei 12)\n\nAreia R$ 3"
    assert remark == "struck-out text is left out"


def test_raised_figures_of_a_pdf_are_powers(parse: Parse) -> None:
    def draw(canvas: Canvas) -> None:
        text = canvas.beginText(72, 700)
        for piece, rise, size in (("Vazão de 4 x 10", 0, 11), ("5", 4, 7), (" litros em 20 m", 0, 11), ("2", 4, 7)):
            text.setRise(rise)
            text.setFont("Helvetica", size)
            text.textOut(piece)
        canvas.drawText(text)

    assert parse(canvas_file(draw)).text == "Vazão de 4 x 10^5 litros em 20 m²"


def test_a_filled_form_reads_as_label_and_value(parse: Parse) -> None:
    def draw(canvas: Canvas) -> None:
        form = canvas.acroForm
        canvas.drawString(72, 740, "Aluno:")
        form.textfield(name="a", x=120, y=734, width=150, height=18, value="Rui Prado")
        canvas.drawString(280, 740, "RG:")
        form.textfield(name="b", x=310, y=734, width=100, height=18, value="12.345")
        canvas.drawString(72, 700, "Turno")
        for x, name, ticked in ((120, "manhã", True), (220, "tarde", False)):
            form.checkbox(name=name, x=x, y=696, size=14, checked=ticked)
            canvas.drawString(x + 20, 700, name)
        canvas.drawString(72, 660, "Curso pretendido")
        form.textfield(name="c", x=72, y=634, width=150, height=18, value="Solda")
        form.choice(
            name="estado", x=72, y=560, width=80, height=18, options=[("Ceará", "CE"), ("Bahia", "BA")], value="BA"
        )
        form.textfield(name="vazio", x=300, y=560, width=80, height=18, value="")

    assert parse(canvas_file(draw)).text == (
        "Aluno: Rui Prado RG: 12.345\n\nTurno [x] manhã [ ] tarde\n\nCurso pretendido: Solda\n\nestado: Bahia"
    )


def test_a_sentence_goes_on_over_a_page_break_without_heads_and_feet_between(parse: Parse) -> None:
    def at(page: int, *lines: str) -> list[Drawn]:
        head = [(72, 805, 9, "Câmara de Itu"), (72, 790, 9, "Resolução 17, revisão 2"), (280, 25, 9, str(page))]
        return [*head, *((72, 110 - 14 * n if page == 1 else 700 - 14 * n, 11, line) for n, line in enumerate(lines))]

    document = parse(
        pdf(at(1, "Art. 4º O prazo de inscrição vai até"), at(2, "trinta de maio.", "Art. 5º A prova é oral."))
    )
    assert document.text == (
        "Resolução 17, revisão 2\n\nArt. 4º O prazo de inscrição vai até trinta de maio.\n\nArt. 5º A prova é oral."
    )
    assert [anchor.page for anchor in document.anchors] == [1, 2]
