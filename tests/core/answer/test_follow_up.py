"""Which questions lean on the one before, and what is searched for then."""

import pytest

from aion_assets.core.answer.follow_up import in_context, leans
from aion_assets.core.language.question import Question

BEFORE = ["Qual é o prazo para pedir férias?"]


@pytest.mark.parametrize(
    "text",
    ["E no estágio?", "E quanto aos estagiários do laboratório?", "Por quê?", "Quem aprova isso?", "And on Sundays?",
     "What about the incremental backup of the archive?", "How long does it take?", "Mas quem decide?"],
)  # fmt: skip
def test_a_question_that_continues_or_points_back_leans(text: str) -> None:
    assert leans(Question.read(text))


@pytest.mark.parametrize(
    "text",
    ["Qual é o limite diário de reembolso de alimentação?", "When does the full backup of the database run?",
     "O uso de óculos de proteção é obrigatório no laboratório?", "Onde ficam os reagentes inflamáveis da bancada?"],
)  # fmt: skip
def test_a_question_that_stands_alone_is_searched_for_alone(text: str) -> None:
    asked = Question.read(text)
    assert not leans(asked)
    assert in_context(asked, BEFORE) is asked


def test_what_is_searched_for_goes_back_to_the_question_that_stands_alone() -> None:
    asked = in_context(Question.read("E quem aprova?"), ["E no estágio?", *BEFORE, "Onde fica o chuveiro?"])
    assert asked.text == "Qual é o prazo para pedir férias? E no estágio? E quem aprova?"


def test_without_a_question_before_nothing_is_added() -> None:
    asked = Question.read("E no estágio?")
    assert in_context(asked, []) is asked
