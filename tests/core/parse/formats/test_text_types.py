"""Tables, mails, Markdown, JSON and encodings."""

import json
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from aion_assets.core.language.identify import identify
from aion_assets.core.parse.charset import decode
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.formats.table import sniff_delimiter
from aion_assets.core.parse.registry import parse_noted
from aion_assets.core.records import ParsedDocument, QuarantineReason

Parse = Callable[..., ParsedDocument]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-8-sig", "utf-16"])
def test_a_table_is_read_in_any_delimiter_and_encoding(parse: Parse, delimiter: str, encoding: str) -> None:
    rows = [["Município", "População"], ["São João", "1.234"], ['"Água, Fria; etc|"', "10"], ["Itu", "5"]]
    body = "\r\n".join(delimiter.join(row) for row in rows).encode(encoding)
    assert parse(body, "dados.csv").text.split("\n\n") == [
        "Município: São João; População: 1.234",
        "Município: Água, Fria; etc|; População: 10",
        "Município: Itu; População: 5",
    ]


def test_rows_of_uneven_length_keep_all_their_cells(parse: Parse) -> None:
    assert parse(b"a,b\nx,y,z\nw\nq,r\n", "d.csv").text == "a: x; b: y; z\n\na: w\n\na: q; b: r"


def test_a_mark_that_is_never_closed_costs_one_row(parse: Parse) -> None:
    rows = parse(b'item;price\n"a; b";1\nTV;"55 inches;1000\nbed;200\nlamp;30\n', "d.csv").text.split("\n\n")
    assert rows[0] == "item: a; b; price: 1"
    assert rows[2:] == ["item: bed; price: 200", "item: lamp; price: 30"]


def test_a_last_cell_of_several_lines_is_one_cell(parse: Parse) -> None:
    assert parse(b'item;note\nTV;x\nbed;"two\nlines"', "d.csv").text.endswith("item: bed; note: two lines")


def test_a_table_without_names_is_read_without_them(parse: Parse) -> None:
    assert parse(b"x;1\ny;2\n", "d.csv").text == "x; 1\n\ny; 2"


def test_decimal_commas_do_not_delimit() -> None:
    assert sniff_delimiter("nome;valor\n" + "casa, sala;1,50\n" * 5) == ";"


def test_a_latin_1_table_of_the_electoral_court_is_read_row_by_row(parse: Parse, shared_data: Path) -> None:
    path = shared_data / "csv/tse_pt/consulta_cand_2018_nopii_latin1.csv"
    document = parse(path.read_bytes(), path.name, "text/csv")
    assert "NM_TIPO_ELEICAO: ELEIÇÃO ORDINÁRIA;" in document.text and "\ufffd" not in document.text
    assert document.text.count("\n\n") == len(path.read_bytes().splitlines()) - 2  # the names, and the last has no end
    assert document.lang == "pt"


def test_a_mail_shows_its_fields_its_body_and_the_names_of_its_files(parse: Parse) -> None:
    mail = (
        b"From: Ana <ana@x.br>\r\nTo: bia@y.br\r\nSubject: =?utf-8?q?Reuni=C3=A3o?=\r\n"
        b"Date: Tue, 5 Mar 2024 10:00:00 -0300\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>A reuni\xe3o fica para <b>quinta</b>.</p>\r\n"
        b"--b\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename=ata.pdf\r\n\r\nx\r\n--b--\r\n"
    )
    document = parse(mail, "m.eml")
    assert document.title == "Reunião" and document.published == "2024-03-05"
    assert document.text == (
        "From: Ana <ana@x.br>\nTo: bia@y.br\nDate: Tue, 05 Mar 2024 10:00:00 -0300\nSubject: Reunião\n\n"
        "A reunião fica para quinta.\n\nAttachments: ata.pdf"
    )


def test_a_mail_whose_plain_text_is_blank_is_read_from_its_html_forwarded_or_not(parse: Parse) -> None:
    original = EmailMessage()
    original["From"], original["Subject"] = "rh@x.br", "Férias"
    original.set_content("\n")
    original.add_alternative("<p>As férias vão de <b>20 de dezembro</b> a 5 de janeiro.</p>", subtype="html")
    text = "From: rh@x.br\nSubject: Férias\n\nAs férias vão de 20 de dezembro a 5 de janeiro."
    assert parse(original.as_bytes(), "m.eml").text == text

    forward = EmailMessage()
    forward["From"] = "ana@x.br"
    forward.set_content("Segue abaixo.")
    forward.add_attachment(original)
    assert parse(forward.as_bytes(), "m.eml").text == f"From: ana@x.br\n\nSegue abaixo.\n\n{text}"


def test_mails_inside_of_mails_are_read_to_a_certain_depth() -> None:
    mail = EmailMessage()
    mail.set_content("o texto mais fundo")
    for level in range(12):
        outer = EmailMessage()
        outer.set_content(f"texto {level}")
        outer.add_attachment(mail)
        mail = outer
    document, remark = parse_noted(RawFile(mail.as_bytes(), filename="m.eml"))
    assert document.text.split("\n\n") == [f"texto {level}" for level in range(11, 2, -1)]
    assert remark == "mails inside of 8 others are not read"


def test_markdown_keeps_headings_code_and_tables(parse: Parse) -> None:
    front = "---\ntitle: Guia\nlang: pt\n---\n"
    text = front + "# Um\n\nTexto *forte*\n\n```\na\n  b\n```\n\n## Dois\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    document = parse(text.encode(), "g.md")
    assert document.title == "Guia"
    assert document.text == "Um\n\nTexto forte\n\na\n  b\n\nDois\n\na | b\n1 | 2"
    assert [anchor.heading for anchor in document.anchors] == ["Um", "Um > Dois"]


def test_lists_are_read_however_deep_they_are(parse: Parse) -> None:
    deep = "\n".join(f"{'  ' * level}- level {level}" for level in range(14))
    text = parse(f"{deep}\n\nAfter the list.\n".encode(), "a.md").text
    assert "level 13" in text and text.endswith("After the list.")


def test_letters_of_a_mail_header_that_names_no_encoding_are_read(parse: Parse) -> None:
    document = parse("From: a@b.c\r\nSubject: Reunião amanhã\r\n\r\nAté lá.\r\n".encode("latin-1"), "a.eml")
    assert document.title == "Reunião amanhã" and "Subject: Reunião amanhã" in document.text


def test_a_record_of_a_dump_is_its_title_and_text(parse: Parse) -> None:
    record = {"_id": "7", "title": "Lei 1", "text": "Art. 1º\n\nTexto.", "lang": "pt", "autor": "ninguém"}
    document = parse(json.dumps(record).encode(), content_type="application/x-ndjson")
    assert (document.title, document.text, document.lang) == ("Lei 1", "Art. 1º\n\nTexto.", "pt")


def test_a_record_without_text_is_refused(reason_of: Callable[..., str]) -> None:
    assert reason_of(b'{"title": "x"}', "", "application/x-ndjson") == QuarantineReason.NO_TEXT
    assert reason_of(b"[1]", "", "application/x-ndjson") == QuarantineReason.BROKEN


def test_json_becomes_lines_that_name_the_path(parse: Parse) -> None:
    body = json.dumps([{"nome": "Ana", "fones": ["1", "2"]}, {"nome": "Bia", "mora": {"uf": "SP"}}]).encode()
    assert parse(body, "d.json").text == "nome: Ana\nfones: 1\nfones: 2\n\nnome: Bia\nmora.uf: SP"


def test_json_nested_without_end_is_broken(reason_of: Callable[..., str]) -> None:
    assert reason_of(b"[" * 100_000, "d.json") == QuarantineReason.BROKEN


def test_a_feed_that_is_cut_off_is_read_as_far_as_it_goes(parse: Parse) -> None:
    feed = '<?xml version="1.0" encoding="windows-1252"?><rss><item><title>Ação</title><p>Notícia & mais'
    assert parse(feed.encode("cp1252"), "f.xml").text.startswith("Ação\n\nNotícia")


def test_at_least_nine_in_ten_files_of_any_encoding_are_decoded_exactly(shared_data: Path) -> None:
    folder = shared_data / "charset" / "chardet"
    right = []
    for path in sorted(folder.glob("*/*"))[::4]:
        encoding = re.sub(r"-[a-z]{5,}$", "", path.parent.name)  # iso-8859-2-polish
        try:
            true = path.read_bytes().decode(encoding)
        except (LookupError, UnicodeDecodeError):  # not every file of the set is what its folder says
            continue
        right.append(decode(path.read_bytes()).lstrip("\ufeff") == true.lstrip("\ufeff"))
    assert len(right) > 80 and sum(right) >= 0.9 * len(right)


@pytest.mark.parametrize("cell", ["Piso 50 m²", "± 2 µg", "Marca®", "«pura»", "Señor Muñoz", "Citroën"])
def test_a_foreign_name_does_not_turn_portuguese_into_another_language(cell: str) -> None:
    table = f"código;descrição;preço\n1;Pão francês;1,50\n2;Ação de promoção em São Paulo;3,00\n3;{cell};9,90\n"
    assert decode(table.encode("latin-1")) == table


@pytest.mark.parametrize("text", ["Área útil: 50 m²", "Pão francês, ½ kg", "Água, 2 m³", "Mesa de pés 3 × 4"])
def test_signs_do_not_turn_portuguese_into_another_language(text: str) -> None:
    assert decode(text.encode("latin-1")) == text


def test_hungarian_whose_accents_are_nearly_all_portuguese_stays_hungarian() -> None:
    text = "A rendező szerint a játék új változata jövőre készül el, és már előre is kérhető."
    assert decode(text.encode("iso8859-2")) == text


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        ("Todos os programadores se esforçam para tornar seu código fácil de entender.", "en", "pt"),
        ("Every programmer strives to make their code easy to understand.", "pt-BR", "en"),
        ("Como faço para instalar o sistema?", "", "pt"),
        ("Nome do arquivo: src/main.rs", "", "pt"),
        ("12345", "pt-BR", "pt"),
        ("12345", "", ""),
    ],
)
def test_the_language_is_that_of_the_text(text: str, declared: str, language: str) -> None:
    assert identify(text, declared) == language


@pytest.mark.parametrize(
    ("body", "row"),
    [
        ("Bairro;0-5;6-17;60+\nCentro;80;210;95\nNorte;40;120;33\n", "Bairro: Centro; 0-5: 80; 6-17: 210; 60+: 95"),
        ("Linha;1;2;3;4\nAzul;7;8;9;5\nVerde;4;4;6;2\n", "Linha: Azul; 1: 7; 2: 8; 3: 9; 4: 5"),
        ("Fonte;2019;2020;2021\nTaxa;310;320;350\nMulta;10;12;9\n", "Fonte: Taxa; 2019: 310; 2020: 320; 2021: 350"),
        ("Rua A;12;340\nRua B;15;220\nRua C;9;180\n", "Rua A; 12; 340"),
        ("10-20;ok\n15-30;ok\n40-50;não\n", "10-20; ok"),
    ],
)
def test_ranges_ages_and_years_name_columns_where_they_differ_from_the_rows_below(
    parse: Parse, body: str, row: str
) -> None:
    assert parse(body.encode(), "d.csv").text.split("\n\n")[0] == row


def test_all_texts_of_a_mail_are_read_in_their_order_and_attached_ones_are_named(parse: Parse) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ana@x.br", "Vistoria"
    mail.set_content("Segue a foto.")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", disposition="inline", filename="foto.png")
    mail.add_attachment("A vistoria é dia 9.", subtype="plain", disposition="inline")
    mail.add_attachment("<p>Levar <b>capacete</b>.</p>", subtype="html", disposition="inline")
    mail.add_attachment("segredo", subtype="plain", filename="notas.txt")
    text = parse(mail.as_bytes(), "m.eml").text
    assert "Segue a foto.\n\nA vistoria é dia 9.\n\nLevar capacete." in text
    assert "segredo" not in text and text.endswith("Attachments: foto.png, notas.txt")


def test_a_mail_whose_plain_text_only_says_that_there_is_a_page_is_read_as_the_page(parse: Parse) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ana@x.br", "Entrega"
    mail.set_content("Veja em HTML.")
    page = "<style>p{margin:0}</style><p>A entrega dos relatos é na sexta, dia 8, às 18 h.</p><p>Sala 4, bloco B.</p>"
    mail.add_alternative(page, subtype="html")
    text = parse(mail.as_bytes(), "m.eml").text
    assert text.endswith("A entrega dos relatos é na sexta, dia 8, às 18 h.\n\nSala 4, bloco B.")
    assert "HTML" not in text


def test_texts_with_a_name_that_a_mail_shows_are_read_and_others_are_remarked_upon() -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ana@x.br", "Ata"
    mail.set_content("Antes da ata.")
    mail.add_attachment("Aprovado por todos.", subtype="plain", disposition="inline", filename="ata.txt")
    mail.add_attachment("<bold>Depois</bold> da ata.", subtype="enriched", disposition="inline")
    mail.add_attachment("BEGIN:VCALENDAR", subtype="calendar", disposition="inline")
    parsed, remark = parse_noted(RawFile(mail.as_bytes(), filename="m.eml"))
    assert "Antes da ata.\n\nAprovado por todos.\n\nDepois da ata." in parsed.text
    assert remark == "a part of the type text/calendar is not read"
