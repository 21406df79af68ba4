"""Fields of forms, entries of paragraphs and provisions of articles are quoted with what names them."""

from dataclasses import replace

from passages import hit

from aion_assets.core.answer.quotable import quotable
from aion_assets.core.answer.quotes import best_quotes
from aion_assets.core.language.question import Question
from aion_assets.core.search.weights import TermWeights

FORM = "\n\n".join(
    [
        "Formulário de inscrição",
        "Título do projeto: Cordel na Varanda",
        "Nome do proponente: Severina Lacerda",
        "Telefone: (37) 3555-0191",
        "Valor pedido (R$): 17.450,00",
        "Contrapartida oferecida (R$): 2.300,00",
        "Início previsto: 13/10/2025",
    ]
)
BRANCHES = (
    "Unidade Centro\nTelefone ............. (91) 3000-4410\nDomingo .............. fechada\n\n"
    "Unidade Maré\nTelefone ............. (91) 3000-4430\nDomingo .............. 14h às 20h"
)
LAW = (
    "Art. 11. A sessão extraordinária é convocada:\nI – pelo presidente;\nII – pelo prefeito.\n"
    "§ 1º Basta um aviso por escrito.\n\n"
    "Art. 12. O uso da tribuna obedece aos seguintes tempos:\nI – pequeno expediente: cinco minutos;\n"
    "II – discussão de projeto:\na) três minutos para o autor;\nb) dois minutos para os outros;\n"
    "III – encaminhamento: um minuto.\n§ 1º O líder tem o dobro do tempo do inciso I.\n"
    "§ 2º O tempo não usado não pode ser cedido."
)


def _quote(question: str, text: str, heading: str = "") -> str:
    hits = [replace(hit("a", text=text), heading=heading)]
    return best_quotes(Question.read(question), hits, TermWeights.of_texts([text], "pt"))[0].text


def test_a_field_is_quoted_below_the_one_that_says_whose_form_it_is() -> None:
    assert _quote("Qual foi o valor pedido pelo projeto Cordel na Varanda?", FORM) == (
        "Título do projeto: Cordel na Varanda\n…\nValor pedido (R$): 17.450,00"
    )
    assert _quote("quem é o proponente do Cordel na Varanda?", FORM) == (
        "Título do projeto: Cordel na Varanda\nNome do proponente: Severina Lacerda"
    )


def test_an_entry_is_quoted_below_the_line_that_its_paragraph_begins_with() -> None:
    texts = [one.text for one in quotable(BRANCHES)]
    assert "Unidade Maré\n…\nDomingo .............. 14h às 20h" in texts
    assert "Unidade Centro\n…\nDomingo .............. fechada" in texts
    assert not any("Centro" in text and "Maré" in text for text in texts)


def test_a_paragraph_belongs_to_the_article_above_it() -> None:
    assert _quote("art. 12, § 1º", LAW) == "§ 1º O líder tem o dobro do tempo do inciso I."
    assert _quote("O que diz o parágrafo 1º do artigo 11?", LAW) == "§ 1º Basta um aviso por escrito."


def test_a_paragraph_of_an_article_that_began_before_the_passage_is_found_by_its_number() -> None:
    rest = "§ 3º O orador que ofender colega é advertido.\nArt. 13. O cidadão fala na tribuna livre.\n§ 3º Só uma vez."
    assert _quote("art. 12, § 3º", rest, "Das sessões, Art. 12") == "§ 3º O orador que ofender colega é advertido."
    assert _quote("art. 13, § 3º", rest, "Das sessões, Art. 12") == "§ 3º Só uma vez."


def test_a_list_within_an_item_is_quoted_whole() -> None:
    assert _quote("art. 12, inciso II, alínea b", LAW) == (
        "II – discussão de projeto:\na) três minutos para o autor;\nb) dois minutos para os outros;"
    )


def test_boxes_are_quoted_with_all_others_of_their_question() -> None:
    text = "Forma de pagamento da mensalidade\n\n☐ Cartão de crédito\n\n☒ Boleto bancário\n\n☐ Pix\n\nFim."
    assert _quote("forma de pagamento da mensalidade", text) == (
        "Forma de pagamento da mensalidade\n☐ Cartão de crédito\n☒ Boleto bancário\n☐ Pix"
    )
    assert not any(one.text.startswith("☐") for one in quotable(text))


def test_a_clause_is_found_by_its_number_with_a_point() -> None:
    text = (
        "CLÁUSULA SÉTIMA – DA GARANTIA\n\n7.1. A locatária entrega caução de três aluguéis.\n\n"
        "7.2. A caução é devolvida em trinta dias.\n\n8.2. O seguro vale por um ano."
    )
    assert _quote("clausula 7.2 do contrato", text).endswith("7.2. A caução é devolvida em trinta dias.")


def test_a_row_of_a_list_of_prices_names_nothing_of_the_next() -> None:
    text = "Plotagem A1 colorida R$ 17,50 1 dia útil\nPlotagem A0 preto e branco R$ 21,00 1 dia útil\nFim"
    assert _quote("plotagem A1 colorida", text) == "Plotagem A1 colorida R$ 17,50 1 dia útil"
