"""A question that asks two things is answered with two sentences, where they stand beside each other."""

import pytest
from passages import hit

from aion_assets.core.answer.quotes import best_quotes
from aion_assets.core.answer.two_parts import parts_of
from aion_assets.core.language.question import Question
from aion_assets.core.search.weights import TermWeights


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("Quem faz o pedido do ultrassom e de qual fornecedor?", 2),
        ("Até quanto posso mudar e, passando disso, com quantos dias de antecedência peço?", 2),
        ("Meu gato pode viajar? quanto paga?", 2),
        ("What is the mileage rate, and by when do I hand in the claim?", 2),
        ("Qual a diferença entre água bruta e água tratada?", 2),
        ("Bom dia! Tudo bem? Quando abre a secretaria?", 1),
        ("Quando abrem a secretaria e a biblioteca?", 1),
    ],
)
def test_the_parts_of_a_question_are_told(question: str, number: int) -> None:
    assert len(parts_of(question)) == number


def _quote(question: str, text: str) -> str:
    return best_quotes(Question.read(question), [hit("a", text=text)], TermWeights.of_texts([text], "pt"))[0].text


def test_the_sentence_beside_the_first_one_answers_the_other_part() -> None:
    text = (
        "O ultrassom antigo está sem peças. Decisão: comprar da VetImagem. Responsável pelo pedido: Dr. Ivo.\n\n"
        "Os uniformes ficam para março."
    )
    both = "Decisão: comprar da VetImagem. Responsável pelo pedido: Dr. Ivo."
    assert _quote("Quem é o responsável pelo pedido e de qual fornecedor vai comprar?", text) == both
    assert _quote("Quem é o responsável pelo pedido?", text) == "Responsável pelo pedido: Dr. Ivo."


def test_a_sentence_that_answers_both_parts_stands_alone() -> None:
    text = "A festa é no dia 20 de maio, na Praça Central. A prefeitura organiza a festa desde 1998, em Serra Azul."
    assert _quote("Quando é a festa e onde?", text) == "A festa é no dia 20 de maio, na Praça Central."


def test_what_answers_the_other_part_elsewhere_in_the_passage_stands_behind_a_gap() -> None:
    text = (
        "Quilometragem de carro próprio: 45 centavos por quilômetro.\n\nO seguro é por conta de quem viaja.\n\n"
        "O pedido de reembolso é entregue até o dia 5 do mês seguinte."
    )
    assert _quote("quanto é a quilometragem de carro próprio, e até quando entrego o pedido de reembolso?", text) == (
        "Quilometragem de carro próprio: 45 centavos por quilômetro.\n…\n"
        "O pedido de reembolso é entregue até o dia 5 do mês seguinte."
    )
    assert "\n…\n" not in _quote("quanto é a quilometragem de carro próprio?", text)


def test_a_difference_is_told_by_what_is_said_of_both() -> None:
    text = (
        "Água bruta: a que chega do rio.\n\nLodo: o que fica no fundo.\n\nÁgua tratada: a que foi filtrada e clorada."
    )
    assert _quote("Qual é a diferença entre água bruta e água tratada?", text) == (
        "Água bruta: a que chega do rio.\n…\nÁgua tratada: a que foi filtrada e clorada."
    )
