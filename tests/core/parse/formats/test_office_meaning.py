"""What people see in Word and Excel files and libraries do not tell: looks of runs, merged cells, formats, formulas."""

import datetime
import io
from collections.abc import Callable

import docx
import openpyxl
import pptx
import pytest
from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font, NamedStyle
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE

from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.registry import parse_noted
from aion_assets.core.records import ParsedDocument

Parse = Callable[..., ParsedDocument]
MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def saved(document: Document | openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_struck_out_and_hidden_runs_of_a_docx_are_left_out_with_a_remark() -> None:
    document = docx.Document()
    old = document.add_paragraph().add_run("Art. 5º A anuidade é de R$ 70,00.")
    old.font.strike = True
    document.add_paragraph("Art. 5º A anuidade é de R$ 95,00.")
    mixed = document.add_paragraph()
    mixed.add_run("Art. 6º Estudantes não pagam.").font.double_strike = True
    mixed.add_run(" (Revogado em 2023)")
    style = document.styles.add_style("Revogado", docx.enum.style.WD_STYLE_TYPE.CHARACTER)
    style.font.strike = True
    document.add_paragraph("Sócios ").add_run("remidos ", style="Revogado")
    document.paragraphs[-1].add_run("votam.")
    document.paragraphs[-1].add_run("segredo").font.hidden = True
    parsed, remark = parse_noted(RawFile(saved(document), filename="estatuto.docx"))
    assert parsed.text == "Art. 5º A anuidade é de R$ 95,00.\n\nArt. 6º (Revogado em 2023)\n\nSócios votam."
    assert remark == "struck-out text is left out"


def test_raised_figures_and_formulas_of_a_docx_keep_their_meaning(parse: Parse) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph()
    for text, raised in (("Até 4 × 10", False), ("9", True), (" L em 15 km", False), ("2", True), (", n", False)):
        paragraph.add_run(text).font.superscript = raised
    paragraph.add_run("o").font.superscript = True
    paragraph.add_run(" 7, de 30 reais").font.superscript = False
    paragraph.add_run("1").font.superscript = True
    formula = f"""<m:oMath {MATH}><m:r><m:t> v=</m:t></m:r><m:f><m:num><m:r><m:t>a+1</m:t></m:r></m:num><m:den><m:sSup>
    <m:e><m:r><m:t>t</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:den></m:f></m:oMath>"""
    paragraph._p.append(parse_xml(formula))
    assert parse(saved(document)).text == "Até 4 × 10^9 L em 15 km², nº 7, de 30 reais v=(a+1)/(t^2)"


def test_merged_cells_of_a_docx_reach_every_row_and_column(parse: Parse) -> None:
    document = docx.Document()
    table = document.add_table(rows=5, cols=3)
    rows = (
        ("Linha", "Tarifa", ""),
        ("", "comum", "idoso"),
        ("Azul", "R$ 5", "R$ 0"),
        ("", "R$ 6", "R$ 1"),
        ("Fim",) * 3,
    )
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(2, 0).merge(table.cell(3, 0))
    table.cell(4, 1).text = table.cell(4, 2).text = ""
    table.cell(4, 0).merge(table.cell(4, 2))
    assert parse(saved(document)).text == (
        "Linha | Tarifa comum | Tarifa idoso\nAzul | R$ 5 | R$ 0\nAzul | R$ 6 | R$ 1\nFim"
    )


def test_what_other_programs_write_in_a_docx_is_read() -> None:
    document = docx.Document()
    mark = f'<w:rPr {nsdecls("w")}><w:position w:val="{{}}"/></w:rPr>'
    paragraph = document.add_paragraph()
    for text, position in (("Até 10", 0), ("4", 8), (" L de H", 0), ("2", -6), ("O", 0)):
        paragraph.add_run(text)._r.insert(0, parse_xml(mark.format(position)))
    entries = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="5 dias"/><w:listEntry w:val="8 dias"/></w:ddList>'
    box = '<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>'
    for label, chosen in (("Prazo: ", entries), ("", box)):
        field = f"<w:r {nsdecls('w')}><w:fldChar w:fldCharType='begin'><w:ffData>{chosen}</w:ffData></w:fldChar></w:r>"
        document.add_paragraph(label)._p.append(parse_xml(field))
    document.paragraphs[-1].add_run("Aceito")
    newer = "http://schemas.microsoft.com/office/drawing/2014/chartex"
    document.add_paragraph()._p.append(parse_xml(f'<w:r {nsdecls("w")}><x:chart xmlns:x="{newer}"/></w:r>'))
    table = document.add_table(rows=3, cols=3)
    for row, texts in zip(table.rows, (("Preço", "", "Nota"), ("10", "20", "x"), ("", "30", "y")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    for cell, value in zip(table.rows[0].cells, ("restart", "continue"), strict=False):
        cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:hMerge {nsdecls("w")} w:val="{value}"/>'))
    table.rows[2]._tr.remove(table.rows[2].cells[0]._tc)
    table.rows[2]._tr.insert(0, parse_xml(f'<w:trPr {nsdecls("w")}><w:gridBefore w:val="1"/></w:trPr>'))
    parsed, remark = parse_noted(RawFile(saved(document), filename="a.docx"))
    assert parsed.text == (
        "Até 10^4 L de H2O\n\nPrazo: 8 dias\n\n☒ Aceito\n\nPreço | Preço | Nota\n10 | 20 | x\n| 30 | y"
    )
    assert remark == "a chart of a newer kind is not read"


def imported(document: Document, name: str, media_type: str, blob: bytes) -> None:
    part = Part(PackURI(f"/word/{name}"), media_type, blob, document.part.package)
    relation = document.part.relate_to(part, RELATIONSHIP_TYPE.A_F_CHUNK)
    chunk = parse_xml(f'<w:altChunk {nsdecls("w", "r")} r:id="{relation}"/>')
    document.element.body.insert(len(document.element.body) - 1, chunk)


def test_imported_parts_are_read_in_their_place_or_remarked_upon() -> None:
    document = docx.Document()
    document.add_heading("Relatório", 1)
    inner = docx.Document()
    inner.add_paragraph("Terceira parte, de outro arquivo.")
    imported(document, "a.html", "text/html", "<p>Primeira <b>parte</b>.</p>".encode("utf-16"))
    imported(document, "b.txt", "text/plain", "Segunda: café.".encode("latin-1"))
    imported(document, "c.docx", f"{docx.opc.constants.CONTENT_TYPE.WML_DOCUMENT_MAIN}", saved(inner))
    imported(document, "d.rtf", "application/rtf", b"{\\rtf1 Quarta}")
    parsed, remark = parse_noted(RawFile(saved(document), filename="a.docx"))
    assert parsed.text == "Relatório\n\nPrimeira parte.\n\nSegunda: café.\n\nTerceira parte, de outro arquivo."
    assert remark == "an imported part of the type application/rtf is not read"


def test_heads_and_feet_of_pages_are_read_once_and_name_a_document_of_general_headings(parse: Parse) -> None:
    document = docx.Document()
    document.add_heading("1. Objetivo", 1)
    document.add_paragraph("Trata do uso dos laboratórios.")
    document.add_section()
    for section in document.sections:
        section.header.is_linked_to_previous = section.footer.is_linked_to_previous = False
        section.header.paragraphs[0].text = "POP-31 – Uso de laboratórios – versão 4"
        section.footer.paragraphs[0].text = "Página 2 de 9"
    document.sections[0].footer.add_paragraph("Aprovado pela direção em 3/2/2024")
    parsed = parse(saved(document), "x.docx")
    assert parsed.text == (
        "POP-31 – Uso de laboratórios – versão 4\n\n1. Objetivo\n\nTrata do uso dos laboratórios.\n\n"
        "Aprovado pela direção em 3/2/2024"
    )
    assert parsed.title == "POP-31 – Uso de laboratórios – versão 4"


@pytest.mark.parametrize(
    ("given", "filename", "title"),
    [
        ("Microsoft Word - minuta3.doc", "Contrato de vigilância.docx", "Contrato de vigilância"),
        ("(anonymous)", "Contrato de vigilância.docx", "Contrato de vigilância"),
        ("Documento1", "Contrato de vigilância.docx", "Contrato de vigilância"),
        ("Vigilância 2024", "Contrato.docx", "Vigilância 2024"),
        ("", "documento (3).docx", "Introdução"),
    ],
)
def test_titles_that_programs_write_give_way_to_real_ones(parse: Parse, given: str, filename: str, title: str) -> None:
    document = docx.Document()
    document.core_properties.title = given
    document.add_heading("Introdução", 1)
    document.add_paragraph("A vigilância é diurna.")
    assert parse(saved(document), filename).title == title


def test_text_boxes_in_cells_and_charts_are_read(parse: Parse) -> None:
    document = docx.Document()
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Meta", "90%"
    box = f"""<w:r {nsdecls("w")}><w:pict><w:txbxContent><w:p><w:r><w:t>Prazo: maio</w:t></w:r></w:p></w:txbxContent>
    </w:pict></w:r>"""
    table.cell(0, 1).paragraphs[0]._p.append(parse_xml(box))
    c = "http://schemas.openxmlformats.org/drawingml/2006/chart"
    points = "".join(f'<c:pt idx="{n}"><c:v>{{{n}}}</c:v></c:pt>' for n in range(2))
    chart = f"""<c:chartSpace xmlns:c="{c}"><c:chart><c:plotArea><c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt
    idx="0"><c:v>Visitas</c:v></c:pt></c:strCache></c:strRef></c:tx><c:cat>{points.format("2022", "2023")}</c:cat>
    <c:val>{points.format("310", "455")}</c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"""
    part = Part(PackURI("/word/charts/chart1.xml"), "application/xml", chart.encode(), document.part.package)
    relation = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    drawing = f'<w:r {nsdecls("w", "r")}><w:drawing><c:chart xmlns:c="{c}" r:id="{relation}"/></w:drawing></w:r>'
    document.add_paragraph("Público:")._p.append(parse_xml(drawing))
    assert parse(saved(document)).text == "Meta | 90%\n\nPrazo: maio\n\nPúblico:\n\nVisitas: 2022: 310; 2023: 455"


def sheet_of(rows: list[list[object]], formats: dict[str, str] | None = None) -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    return workbook


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.0825, "0.00%", "8,25%"),
        (1999.9, '_-"R$"\\ * #,##0.00_-;\\-"R$"\\ * #,##0.00_-', "R$ 1.999,90"),
        (-12.5, '_-"R$"\\ * #,##0.00_-;\\-"R$"\\ * #,##0.00_-', "-R$ 12,50"),
        (2500000, "[$R$-416] #,##0", "R$ 2.500.000"),
        (11122233344, "000\\.000\\.000\\-00", "111.222.333-44"),
        (12.300000000000001, "General", "12,3"),
        (datetime.datetime(2024, 12, 5), "dd/mm/yyyy", "05/12/2024"),
        (datetime.datetime(2024, 12, 5), "mm-dd-yy", "05/12/2024"),
        (datetime.datetime(2024, 12, 5), 'd "de" mmmm "de" yyyy', "5 de dezembro de 2024"),
        (datetime.time(18, 5), "h:mm", "18:05"),
        (datetime.timedelta(hours=26), "[h]:mm", "26:00"),
        (True, "General", "VERDADEIRO"),
        (12_345_678, '#,##0.0,,"M"', "12,3M"),
        (12_345_678, "#,##0,", "12.346"),
    ],
)
def test_a_cell_reads_as_the_sheet_shows_it(parse: Parse, value: object, number_format: str, text: str) -> None:
    workbook = sheet_of([["Serviço de limpeza", "Valor"], ["Poda de árvores da praça", value]], {"B2": number_format})
    assert parse(saved(workbook), "a.xlsx").text.endswith(f"Poda de árvores da praça; Valor: {text}")


def test_an_english_sheet_keeps_its_decimal_point(parse: Parse) -> None:
    workbook = sheet_of(
        [["Street cleaning service", "Price"], ["Removal of the fallen trees", 1234.5]], {"B2": "#,##0.00"}
    )
    assert parse(saved(workbook), "a.xlsx").text.endswith("Price: 1,234.50")


def test_formulas_without_a_stored_result_are_computed_or_said_not_to_be() -> None:
    rows: list[list[object]] = [
        ["Item", "Quantidade", "Preço", "Total"],
        ["Cimento", 3, 40.5, "=B2*C2"],
        ["Areia", 2, 90, "=B3*C3*(1-10%)"],
        ["Soma", None, None, "=SUM(D2:D3)"],
        ["Média", None, None, "=ROUND(AVERAGE(D2:D3),1)"],
        ["Situação", None, None, '=IF(D4>100,"acima","abaixo")'],
        ["Círculo", None, None, "=D7+1"],
    ]
    parsed, remark = parse_noted(RawFile(saved(sheet_of(rows, {"D4": "#,##0.00"})), filename="obra.xlsx"))
    lines = parsed.text.split("\n\n")
    assert "Item: Cimento; Quantidade: 3; Preço: 40,5; Total: 121,5" in lines
    assert "Item: Soma; Total: 283,50" in lines and "Item: Média; Total: 141,8" in lines
    assert 'Item: Situação; Total: =IF(D4>100,"acima","abaixo") (não calculado / not computed)' in lines
    assert "Item: Círculo; Total: =D7+1 (não calculado / not computed)" in lines
    assert "2 formulas without a stored result are not computed: open and save the workbook" in remark


def test_merged_cells_of_a_sheet_reach_every_row_and_name_columns_together(parse: Parse) -> None:
    rows: list[list[object]] = [
        ["Piscina municipal"],
        ["Público", "Dia útil", None, "Domingo"],
        [None, "manhã", "tarde", None],
        ["Adultos", 8, 9, 12],
        [None, 10, 11, 14],
    ]
    workbook = sheet_of(rows)
    sheet = workbook.active
    assert sheet is not None
    for area in ("A1:D1", "A2:A3", "B2:C2", "D2:D3", "A4:A5"):
        sheet.merge_cells(area)
    assert parse(saved(workbook), "a.xlsx").text.split("\n\n")[1:] == [
        "Piscina municipal",
        "Público: Adultos; Dia útil manhã: 8; Dia útil tarde: 9; Domingo: 12",
        "Público: Adultos; Dia útil manhã: 10; Dia útil tarde: 11; Domingo: 14",
    ]


def test_struck_out_cells_are_left_out_and_a_sheet_that_nobody_named_names_no_file() -> None:
    workbook = sheet_of([["Sala", "Uso"], ["12", "aulas"], ["13", "provas"]])
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Planilha1"
    for cell in sheet[2]:
        cell.font = Font(strike=True)
    parsed, remark = parse_noted(RawFile(saved(workbook), filename="Salas do campus.xlsx"))
    assert parsed.text == "Planilha1\n\nSala: 13; Uso: provas" and remark == "struck-out text is left out"
    assert parsed.title == "Salas do campus"


def test_the_looks_of_parts_of_a_cell_count() -> None:
    runs = CellRichText(
        TextBlock(InlineFont(strike=True), "R$ 40 "),
        "R$ 90 por 10",
        TextBlock(InlineFont(vertAlign="superscript"), "4"),
        " m",
    )
    parsed, remark = parse_noted(RawFile(saved(sheet_of([["Item", "Taxa"], ["Água", runs]])), filename="a.xlsx"))
    assert parsed.text.endswith("Item: Água; Taxa: R$ 90 por 10^4 m")
    assert remark == "struck-out text is left out"


def test_a_letterhead_is_no_title(parse: Parse) -> None:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Prefeitura de Itu – Rua A, 12 – Tel. 3333-1010"
    document.add_paragraph("A vigilância é diurna.")
    assert parse(saved(document), "Plantões de vigilância.docx").title == "Plantões de vigilância"


def test_styles_of_cells_are_not_needed(parse: Parse) -> None:
    workbook = sheet_of([["Obra", "Data"], ["Ponte", datetime.date(2024, 5, 1)]])
    workbook.add_named_style(NamedStyle(name="outro"))
    assert "Data: 2024-05-01" in parse(saved(workbook), "a.xlsx").text


def test_slides_keep_powers_merged_cells_and_charts_and_lose_what_is_struck_out() -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Vazão"
    paragraph = slide.shapes.add_textbox(0, 2_000_000, 5_000_000, 400_000).text_frame.paragraphs[0]
    looks = {"6": {"baseline": "30000"}, "Antes, 5 L.": {"strike": "sngStrike"}}
    for text in ("Até 10", "6", " L. ", "Antes, 5 L."):
        run = paragraph.add_run()
        run.text = text
        for name, value in looks.get(text, {}).items():
            run._r.get_or_add_rPr().set(name, value)
    table = slide.shapes.add_table(3, 2, 0, 3_000_000, 5_000_000, 900_000).table
    for row, texts in enumerate((("Bomba", "Vazão"), ("Norte", "10 L"), ("", "12 L"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    data = CategoryChartData()
    data.categories = ["2022", "2023"]
    data.add_series("Consumo", (310, 455))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 5_000_000, 4_000_000, 1_500_000, data)
    file = io.BytesIO()
    presentation.save(file)
    parsed, remark = parse_noted(RawFile(file.getvalue(), filename="a.pptx"))
    assert parsed.text == (
        "Vazão\n\nAté 10^6 L.\n\nBomba | Vazão\nNorte | 10 L\nNorte | 12 L\n\nConsumo: 2022: 310; 2023: 455"
    )
    assert remark == "struck-out text is left out"


def test_a_table_longer_than_a_passage_takes_its_column_names_along(parse: Parse) -> None:
    document = docx.Document()
    districts = [f"Bairro {chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(40)]
    table = document.add_table(rows=41, cols=3)
    for row, texts in zip(
        table.rows, [("Bairro", "Coleta", "Entulho"), *((d, "terça", "sexta") for d in districts)], strict=True
    ):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    lines = parse(saved(document)).text.split("\n\n")
    assert lines == [f"Bairro: {district}; Coleta: terça; Entulho: sexta" for district in districts]
