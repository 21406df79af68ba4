"""Word, Excel and PowerPoint files, made by the libraries that people's programs use."""

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
from docx.document import Document

from aion_assets.core.parse.formats import archive
from aion_assets.core.records import ParsedDocument, QuarantineReason

Parse = Callable[..., ParsedDocument]


def saved(document: Document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_a_docx_is_read_in_the_order_of_its_body(parse: Parse) -> None:
    document = docx.Document()
    document.add_heading("Regulamento", 0)
    document.add_heading("Das férias", 1)
    document.add_paragraph("Trinta dias por ano.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Cargo", "Dias", "Juiz", "60"), strict=True
    ):
        cell.text = text
    document.add_paragraph("Depois da tabela.")
    parsed = parse(saved(document), "regulamento.docx")
    assert (
        parsed.text
        == "Regulamento\n\nDas férias\n\nTrinta dias por ano.\n\nCargo | Dias\nJuiz | 60\n\nDepois da tabela."
    )
    assert [anchor.heading for anchor in parsed.anchors] == ["Regulamento", "Das férias"]
    assert parsed.title == "Regulamento"


def test_a_docx_without_properties_has_neither_title_nor_date_of_its_own(parse: Parse) -> None:
    document = docx.Document()
    document.add_paragraph("Trinta dias por ano.")
    document.core_properties.title, document.core_properties.created = "Férias", datetime.datetime(2024, 5, 1)
    with_properties = parse(saved(document), "regulamento.docx")
    assert (with_properties.title, with_properties.published) == ("Férias", "2024-05-01")

    relations = document.part.package.rels
    del relations[next(key for key, relation in relations.items() if relation.reltype.endswith("/core-properties"))]
    without = parse(saved(document), "regulamento.docx")
    assert (without.title, without.published) == ("regulamento", "")


def test_lists_keep_the_numbers_that_word_computes(parse: Parse) -> None:
    document = docx.Document()
    for text in ("abrir", "fechar"):
        document.add_paragraph(text, style="List Number")
    document.add_paragraph("ponto", style="List Bullet")
    document.add_paragraph("guardar", style="List Number")
    assert parse(saved(document)).text == "1. abrir\n\n2. fechar\n\n- ponto\n\n3. guardar"


def test_inserted_revisions_are_read_and_deleted_ones_are_not(parse: Parse) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Prazo de dez dias")
    run = '<w:r xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:{0}>{1}</w:{0}></w:r>'
    for tag, name, text in (("ins", "t", " úteis"), ("del", "delText", " corridos")):
        revision = docx.oxml.parse_xml(
            f'<w:{tag} xmlns:w="{paragraph._p.nsmap["w"]}">{run.format(name, text)}</w:{tag}>'
        )
        paragraph._p.append(revision)
    assert parse(saved(document)).text == "Prazo de dez dias úteis"


def test_real_exams_match_their_text(parse: Parse, shared_data: Path) -> None:
    folder = shared_data / "documents" / "oab_simulated" / "docx" / "questions"
    text = parse((folder / "2013-15.docx").read_bytes(), "2013-15.docx").text
    assert "2. Ato lesivo ao erário público poderá ser impugnado por qualquer cidadão mediante:\n\n(A) mandado" in text
    assert "04/Fev | Até às 13h | Prazo para Impugnação/ Recurso" in text


def test_a_sheet_is_a_heading_and_a_row_names_its_columns(parse: Parse) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Obras"
    for row in (["Relação de obras"], [], ["Obra", "Início", "Valor"], ["Ponte", datetime.date(2024, 5, 1), 1200.0]):
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    parsed = parse(file.getvalue(), "obras.xlsx")
    assert parsed.text == "Obras\n\nRelação de obras\n\nObra: Ponte; Início: 2024-05-01; Valor: 1200"
    assert [anchor.heading for anchor in parsed.anchors] == ["Obras"]


def test_a_slide_is_a_page_with_its_title_table_and_notes(parse: Parse) -> None:
    presentation = pptx.Presentation()
    for title in ("Metas", "Prazos"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = f"Conteúdo de {title}"
    slide.notes_slide.notes_text_frame.text = "Falar devagar"
    table = slide.shapes.add_table(1, 2, 0, 5_000_000, 5_000_000, 500_000).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Etapa", "Maio"
    file = io.BytesIO()
    presentation.save(file)
    parsed = parse(file.getvalue(), "metas.pptx")
    assert parsed.text == "Metas\n\nConteúdo de Metas\n\nPrazos\n\nConteúdo de Prazos\n\nEtapa | Maio\n\nFalar devagar"
    assert [(anchor.page, anchor.heading) for anchor in parsed.anchors] == [(1, "Metas"), (2, "Prazos")]


def test_an_archive_that_would_unpack_to_gigabytes_is_refused(reason_of: Callable[..., str]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "x")
        with bomb.open("word/document.xml", "w") as member:
            for _ in range(archive.MAX_UNPACKED_BYTES // 10_000_000 + 1):
                member.write(b" " * 10_000_000)
    assert reason_of(file.getvalue(), "bomba.docx") == QuarantineReason.MEMORY


def test_a_docx_with_exploding_entities_is_broken(reason_of: Callable[..., str]) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    xml = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e9;</x>'
    assert reason_of(xml.encode(), "risos.xml") == QuarantineReason.BROKEN
