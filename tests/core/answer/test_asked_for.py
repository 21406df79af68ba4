"""What a question asks for, and whether a sentence has one."""

import pytest

from aion_assets.core.answer.asked_for import (
    AskedFor,
    has_code,
    has_identifier,
    has_name,
    named_codes,
    named_identifiers,
    named_names,
    named_numbers,
    numbers,
)
from aion_assets.core.language.terms import fold


@pytest.mark.parametrize(
    ("question", "has_one", "has_none"),
    [
        ("Quanto custa a segunda via?", "A segunda via custa R$ 35,00.", "A segunda via é paga no balcão."),
        ("Quantos dias por semana posso ficar em casa?", "São no máximo três por semana.", "Cada chefia decide."),
        ("Quando vence o boleto?", "O boleto vence no dia 20.", "O boleto vence e a multa começa."),
        ("Que dia cai o pagamento?", "O pagamento cai no dia 20.", "O pagamento cai no dia certo."),
        ("Qual o prazo da vistoria?", "A vistoria sai em 30 dias.", "A vistoria depende do pedido."),
        ("Quem assina o termo?", "O termo leva a assinatura de Maria Lemos.", "O termo é assinado antes do uso."),
        ("Onde fica o arquivo?", "O arquivo fica na Rua das Flores.", "O arquivo guarda processos."),
        ("Por que o alvará caduca?", "Caduca porque a obra não começou.", "O alvará caduca."),
        ("How many copies are allowed?", "Each reader takes five copies.", "Copies are allowed."),
    ],
)
def test_a_sentence_with_the_kind_of_thing_asked_for_is_told_from_one_without(
    question: str, has_one: str, has_none: str
) -> None:
    asked = AskedFor.of(question)
    assert any(asked.found_in(has_one, fold(question)).values())
    assert [*asked.found_in(has_none, fold(question)).values()] == [False]


def test_what_the_question_says_itself_is_no_answer_to_it() -> None:
    question = "Quanto custa a ligação de 20 mm?"
    assert AskedFor.of(question).found_in("A ligação de 20 mm é cobrada.", fold(question)) == {"figure": False}


def test_a_question_for_nothing_of_these_prefers_none() -> None:
    assert AskedFor.of("Fale sobre o regimento").found_in("Em 2020 Ana pagou 3 reais em Recife porque quis.", "") == {}


def test_numbers_are_compared_in_one_form() -> None:
    assert numbers("NBR 12.721, contrato 054/2023, art. 5º, R$ 1.234,50") == {"12721", "54", "2023", "5", "1234,50"}


def test_a_number_in_words_is_the_same_number() -> None:
    assert numbers("Em três parcelas ou doze cotas, uma por mês") == {"3", "12"}
    assert numbers("two or seven copies") == {"2", "7"}


def test_a_count_is_no_sum_of_money_unless_coins_are_counted() -> None:
    for question, expected in (("Quantas mesas há?", False), ("Quantos reais custa?", True)):
        assert AskedFor.of(question).found_in("A mesa custa R$ 40,00 ou 15%.", fold(question)) == {"figure": expected}


def test_a_name_that_a_program_has_is_known_as_it_is_written() -> None:
    asked = "Como marco com should_panic o teste de thread::spawn no Cargo.lock com --release?"
    assert named_identifiers(asked) == {"should_panic", "thread::spawn", "cargo.lock", "--release"}
    assert not named_identifiers(
        "oi.tudo bem? escrevi para ana_lima@empresa.com.br e vi https://a.br/b_c.json no gov.br"
    )
    assert has_identifier("use `should_panic(expected)` assim", "should_panic")
    assert has_identifier("Rode cargo build --release.", "--release")
    assert not has_identifier("Rode com --release-notes.", "--release")
    assert not has_identifier("my_should_panicked", "should_panic")


def test_a_code_is_known_however_its_parts_are_joined() -> None:
    assert named_codes("O que é o erro E-422 da PM 138, de 2024, em 30min?") == {"e 422"}
    assert has_code("E 422: falta de água", "e 422") and has_code("erro E422", "e 422")
    assert not has_code("E-204: falta de água", "e 422") and not has_code("espere 422 dias", "e 422")


def test_a_thing_that_is_named_by_its_number_is_told_from_a_quantity() -> None:
    assert named_numbers("O que diz o art. 12, § 3º, da Lei nº 8.112?") == {"12", "8112"}
    assert named_numbers("Quando vence o contrato 54/2023?") == {"54", "2023"}
    assert named_numbers("Posso levar 3 livros por 10 dias?") == frozenset()


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("que dia passa o caminhão no bairro São Benedito?", {"benedito"}),
        ("is there an authorised workshop in Norwick?", {"norwick"}),
        ("quem é Josué Prado?", {"josue", "prado"}),
        ("Oi Gostaria de saber o preço", set()),
        ("abre no Natal? e em Março?", set()),
        ("Prazo Para Renovar O Livro No Balcão", set()),
        ("qual o prazo do INSS?", set()),
        ("How do I resolve conflicts inside IntelliJ IDEA or a Jenkins build?", {"intellij", "jenkins"}),
        ("Quão comprido é o gasoduto Vitória-Cacimbas?", {"vitoria", "cacimbas"}),
        ("Bom dia Quero saber se Rex entra", set()),
    ],
)
def test_a_name_is_what_has_a_capital_within_a_question(question: str, names: set[str]) -> None:
    assert named_names(question) == names


def test_a_name_is_found_although_it_is_written_a_little_otherwise() -> None:
    assert has_name({"londres", "parnaiba"}, "london") and has_name({"parnaiba"}, "paranaiba")
    assert not has_name({"thornby", "workshop", "norte"}, "norwick")
    assert not has_name({"source", "home"}, "sourcetree") and not has_name({"source", "home"}, "homebrew")
    assert has_name({"brasileiro"}, "brasil")
