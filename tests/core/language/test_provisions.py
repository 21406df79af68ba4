"""Articles, clauses and what stands below them, as questions name them and as lines begin with them."""

import pytest

from aion_assets.core.language.provisions import (
    article_of,
    named_provisions,
    provisions_in,
    with_article,
    without_article,
)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("O que diz o art. 12, § 3º do regimento?", {"§ 3"}),
        ("E o parágrafo único do artigo 5?", {"§ unico"}),
        ("O que manda o parágrafo terceiro?", {"§ 3"}),
        ("Qual é o inciso IV do art. 3?", {"inciso 4"}),
        ("Pela alínea b do inciso II, o que devo fazer?", {"alínea b", "inciso 2"}),
        ("cláusula décima segunda", {"cláusula 12"}),
        ("O que diz a cláusula 7?", {"cláusula 7"}),
        ("clausula 7.2 locação", {"7.2"}),
        ("Quanto são R$ 2.500,00 por mês?", set()),
        ("Quantos dias tem o prazo?", set()),
    ],
)
def test_a_question_names_a_provision_in_any_of_these_ways(question: str, named: set[str]) -> None:
    assert named_provisions(question) == named


def test_a_line_begins_a_provision_and_does_not_begin_one_that_it_refers_to() -> None:
    assert provisions_in("§ 3º O orador é advertido, na forma do § 1º e do inciso II.") == {"§ 3"}
    assert provisions_in("II - respeitar o silêncio:\na) das 22h às 7h;\nb) da meia-noite às 9h;") == {
        "inciso 2",
        "alínea a",
        "alínea b",
    }
    assert provisions_in("CLÁUSULA SÉTIMA - DA GARANTIA\n7.2. A caução é devolvida.") == {"cláusula 7", "7.2"}


@pytest.mark.parametrize(
    ("line", "article"),
    [
        ("Art. 12. O uso obedece ao que segue:", "Art. 12"),
        ("Artigo 5º O usuário assina o termo.", "Artigo 5"),
        ("Article 7. Members pay in May.", "Article 7"),
        ("CLÁUSULA DÉCIMA SEGUNDA - DO FORO", "CLÁUSULA DÉCIMA SEGUNDA"),
        ("Arte 12 da coleção", ""),
        ("Cláusula penal", ""),
    ],
)
def test_an_article_is_told_from_a_word_that_looks_like_one(line: str, article: str) -> None:
    assert article_of(line) == article


def test_an_article_is_put_behind_a_heading_and_taken_off_again() -> None:
    assert without_article(with_article("Lei > Capítulo II", "Art. 4")) == "Lei > Capítulo II"
    assert without_article(with_article("", "Art. 4")) == ""
    assert without_article("Feiras, mercados e ambulantes") == "Feiras, mercados e ambulantes"
