"""What a reader of a page sees and a program may miss: struck lines, powers, merged cells, folded answers, names."""

from collections.abc import Callable

import pytest

from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.registry import parse_noted
from aion_assets.core.records import ParsedDocument

Parse = Callable[..., ParsedDocument]


def page(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html lang=pt-br><head><title>T</title>{head}</head><body>{body}</body></html>".encode()


LAW = """<main><h1>Lei 77</h1><p>Art. 1º A taxa de lixo é anual.</p>
<p>{0}</p><p>Art. 2º A taxa é de R$ 90,00. (Redação da Lei 81)</p><p>{1} (Revogado pela Lei 81)</p></main>"""


@pytest.mark.parametrize(
    ("opening", "closing", "style"),
    [
        ("<strike>", "</strike>", ""),
        ("<del>", "</del>", ""),
        ("<span style='color:red;text-decoration : line-through'>", "</span>", ""),
        (
            "<span class='texto revogado'>",
            "</span>",
            "<style>p{margin:0} .revogado, b{text-decoration:line-through}</style>",
        ),
        (
            "<i data-is=old>",
            "</i>",
            "<style><!-- main > p i[data-is=old] {text-decoration : line-through red} --></style>",
        ),
        ("<u>", "</u>", "<style>u{text-decoration:none} main u{text-decoration:line-through}</style>"),
        ("<span class='small line-through'>", "</span>", ""),
        ("<span class='tachado'>", "</span>", ""),
    ],
)
def test_struck_out_text_is_left_out_with_a_remark_and_its_number_stays(opening: str, closing: str, style: str) -> None:
    old, gone = "Art. 2º A taxa é de R$ 40,00.", "Art. 3º Igrejas pagam metade."
    body = LAW.format(f"{opening}{old}{closing}", f"{opening}{gone}{closing}")
    document, remark = parse_noted(RawFile(page(body, style), filename="lei.html"))
    assert document.text == (
        "Lei 77\n\nArt. 1º A taxa de lixo é anual.\n\nArt. 2º A taxa é de R$ 90,00. (Redação da Lei 81)\n\n"
        "Art. 3º (Revogado pela Lei 81)"
    )
    assert remark == "struck-out text is left out"


@pytest.mark.parametrize(
    "sheet",
    [
        ".now:hover{text-decoration:line-through}",
        "div.now{text-decoration:line-through}",
        "main > .now{text-decoration:line-through}",
        ".now{text-decoration:line-through} p .now{text-decoration:none}",
        "main .now{text-decoration:none} .now{text-decoration:line-through}",
    ],
)
def test_what_a_sheet_does_not_strike_out_stays(parse: Parse, sheet: str) -> None:
    body = "<main><p><b class=now>A taxa é de R$ 90,00.</b></p></main>"
    assert "R$ 90,00" in parse(page(body, f"<style>{sheet}</style>"), "a.html").text


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_text_struck_out_character_by_character_is_left_out(name: str) -> None:
    old = "".join(f"{sign}\u0336" for sign in "Prazo: é de 10 dias.")
    text = f"{old} Prazo: é de 20 dias, com 3 ≠ 4."
    parsed, remark = parse_noted(RawFile((page(f"<p>{text}</p>") if "html" in name else text.encode()), filename=name))
    assert parsed.text == "Prazo: é de 20 dias, com 3 ≠ 4."
    assert remark == "struck-out text is left out"


def test_struck_out_markdown_is_left_out(parse: Parse) -> None:
    assert parse(b"~~Prazo: 10 dias.~~ Prazo: 20 dias.", "a.md").text == "Prazo: 20 dias."


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("até 10<sup>4</sup> UFC/mL", "até 10^4 UFC/mL"),
        ("cerca de 3 × 10<sup>−5</sup> mol", "cerca de 3 × 10^−5 mol"),
        ("um lote de 250 m<sup>2</sup>, 3 km<sup>2</sup> e 7 dm<sup>3</sup>", "um lote de 250 m², 3 km² e 7 dm³"),
        ("Art. 1<sup><u>o</u></sup>, § 2<sup>o</sup> e a 3<sup>a</sup> via", "Art. 1º, § 2º e a 3ª via"),
        ("custa R$ 150<sup><a href='#n1'>1</a></sup> ao mês", "custa R$ 150 ao mês"),
        ("no prazo<sup>2</sup> de dez dias", "no prazo de dez dias"),
        ("na base 1011<sub>2</sub> e em CO<sub>2</sub>", "na base 1011_2 e em CO2"),
        ("o termo x<sup>n+1</sup> da soma", "o termo x^(n+1) da soma"),
        ("on the 1<sup>st</sup> day", "on the 1st day"),
        ("até 10<span style='vertical-align: super; font-size:60%'>4</span> UFC", "até 10^4 UFC"),
        (
            "em 10<font style='position:relative;top:-0.5em'>4</font> e H<span style='vertical-align:sub'>2</span>O",
            "em 10^4 e H2O",
        ),
        ("<style>.x{vertical-align:4pt}</style>um lote de 250 m<span class=x>2</span>", "um lote de 250 m²"),
        ("vale <script type='math/tex'>10^4</script> mol", "vale 10^4 mol"),
        ("vale <img class=latex alt='$10^4$'> mol", "vale 10^4 mol"),
        (
            "vale <math><msup><mn>10</mn><mn>6</mn></msup><mo>⁢</mo><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow>"
            "<mi>b</mi></mfrac></math> ao todo",
            "vale 10^6·(a + 1)/b ao todo",
        ),
        (
            "é <span style='display: none'><math><semantics><mrow><mi>E</mi><mo>=</mo><msqrt><mi>m</mi></msqrt></mrow>"
            "<annotation encoding='application/x-tex'>E=\\sqrt m</annotation></semantics></math></span><img alt=x>",
            "é E = √m",
        ),
    ],
)
@pytest.mark.parametrize(
    "frame", ["<main><p>{}</p></main>", "<p>{}</p><p>" + "Outra frase do texto comum. " * 9 + "</p>"]
)
def test_raised_and_lowered_figures_keep_their_meaning(parse: Parse, markup: str, text: str, frame: str) -> None:
    assert parse(page(frame.format(markup)), "a.html").text.split("\n\n")[0] == text


def test_a_merged_cell_stands_in_every_row_and_column_that_it_covers(parse: Parse) -> None:
    table = """<table><tr><th rowspan=2>Aula</th><th colspan=2>Adulto</th></tr><tr><th>manhã</th><th>tarde</th></tr>
    <tr><td rowspan=2>Natação</td><td>R$ 10</td><td>R$ 20</td></tr><tr><td colspan=2>sob consulta</td></tr>
    <tr><td colspan=3>Fora da temporada</td></tr><tr><td>Judô</td><td>R$ 30</td><td>R$ 40</td></tr></table>"""
    assert parse(page(f"<main><h1>Preços</h1>{table}</main>"), "a.html").text == (
        "Preços\n\nAula | Adulto manhã | Adulto tarde\nNatação | R$ 10 | R$ 20\nNatação | sob consulta | sob consulta\n"
        "Fora da temporada\nJudô | R$ 30 | R$ 40"
    )


def test_a_cell_of_no_end_reaches_the_last_row_and_tables_by_role_are_tables(parse: Parse) -> None:
    table = """<table><tr><th>Zona</th><th>Bairro</th></tr><tr><td rowspan=0>Norte</td><td>Alfa</td></tr>
    <tr><td>Beta</td></tr></table>"""
    roles = """<div role=table><div role=row><b role=columnheader>Item</b><b role=columnheader>Preço</b></div>
    <div role=row><span role=cell>Quadra</span><span role=cell>R$ 10</span></div></div>"""
    assert parse(page(f"<main><h1>Coleta</h1>{table}{roles}</main>"), "a.html").text == (
        "Coleta\n\nZona | Bairro\nNorte | Alfa\nNorte | Beta\n\nItem | Preço\nQuadra | R$ 10"
    )


def test_cells_that_claim_to_span_everything_are_repeated_a_limited_number_of_times(parse: Parse) -> None:
    rows = "<tr>" + "<td rowspan=65534 colspan=1000>x</td>" * 20 + "</tr>"
    text = parse(page(f"<main><p>Texto.</p><table>{rows * 300}</table></main>"), "a.html").text
    assert 6_000 <= text.count("x") <= 20_000


@pytest.mark.parametrize(
    "item",
    [
        "<h3><button aria-expanded=false aria-controls=p{n}>{q}</button></h3><div id=p{n} hidden><p>{a}</p></div>",
        "<button class=accordion>{q}</button><div style='display:none'><p>{a}</p></div>",
        "<details><summary>{q}</summary><p>{a}</p></details>",
        "<h3><a href='#p{n}' data-toggle=collapse>{q}</a></h3><div id=p{n} class='collapse' aria-hidden=true>{a}</div>",
    ],
)
def test_folded_answers_and_their_questions_are_read(parse: Parse, item: str) -> None:
    pairs = [("Posso pagar com cartão?", "Sim, em até três vezes sem juros."), ("Há estágio?", "Há, de março a julho.")]
    body = "".join(item.format(n=n, q=q, a=a) for n, (q, a) in enumerate(pairs))
    menu = "<button aria-controls=m>Menu do site</button><nav id=m hidden><a href=/>Início</a></nav>"
    text = parse(page(f"{menu}<main><h1>Dúvidas</h1>{body}<button>Enviar</button></main>"), "a.html").text
    assert text == "Dúvidas\n\n" + "\n\n".join(f"{q}\n\n{a}" for q, a in pairs)


def test_a_part_named_after_its_subject_is_content_and_a_box_of_links_is_not(parse: Parse) -> None:
    parts = """<section id="publicidade-legal"><h2>Publicidade legal</h2><p>O edital sai no diário em até cinco
    dias.</p></section><section class="previdencia-social"><h2>Aposentadoria</h2><p>O pedido é feito no guichê dois, das
    oito às onze.</p></section><div class="social-share"><h2>Compartilhe</h2><p><a href=f>Rede um</a> <a href=g>Rede
    dois</a> <a href=h>Rede três.</a></p></div>"""
    document = parse(
        page(f"<main><h1>Serviços</h1><p>{'Atendemos de segunda a sexta. ' * 3}</p>{parts}</main>"), "a.html"
    )
    assert "O edital sai no diário" in document.text and "guichê dois" in document.text
    assert "Rede" not in document.text
    assert "publicidade-legal" in {anchor.fragment for anchor in document.anchors}


def test_a_short_page_that_marks_its_content_does_without_its_menu(parse: Parse) -> None:
    menu = "<header><nav><ul><li><a href=a>Notícias</a><li><a href=b>Agenda do mês</a></ul></nav></header>"
    body = (
        f"{menu}<main><h1>Plantão</h1><p>Farmácia Central: 3322-1010, até meia-noite.</p></main><footer>Rua A</footer>"
    )
    assert parse(page(body), "a.html").text == "Plantão\n\nFarmácia Central: 3322-1010, até meia-noite."


def test_a_table_in_a_cell_becomes_rows_of_the_one_that_names_its_columns(parse: Parse) -> None:
    head = "<tr><th>Curso</th><th>Duração</th><th>Mensalidade</th></tr>"
    inner = (
        "<table><tr><th>Aula</th><th>Nível 1</th></tr><tr><td>30 min</td><td>R$ 240,00</td></tr>"
        "<tr><td>50 min</td><td>R$ 345,00</td></tr></table>"
    )
    rows = (
        "<tr><td>Coral</td><td>90 min</td><td>gratuito</td></tr>"
        f"<tr><td>Instrumento</td><td colspan=2>{inner}</td></tr>"
        "<tr><td>Canto</td><td>45 min</td><td>R$ 330,00</td></tr>"
    )
    text = parse(page(f"<main><p>Valores por mês.</p><table>{head}{rows}</table></main>"), "a.html").text
    assert text.split("\n\n")[-1].split("\n") == [
        "Curso | Duração | Mensalidade",
        "Coral | 90 min | gratuito",
        "Instrumento | Aula: 30 min, Nível 1: R$ 240,00",
        "Instrumento | Aula: 50 min, Nível 1: R$ 345,00",
        "Canto | 45 min | R$ 330,00",
    ]
