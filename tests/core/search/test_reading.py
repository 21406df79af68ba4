import pytest
from passages import hit

from aion_assets.core.language.question import Question
from aion_assets.core.search.reading import reading_score, readings
from aion_assets.core.search.weights import TermWeights

QUESTION = Question.read("prazo de matrícula")
WEIGHTS = TermWeights.of_texts(["O prazo de matrícula.", "O restaurante abre.", "A biblioteca fecha."], "pt")


def _read(text: str, title: str = "", lang: str = "pt") -> float:
    passage = hit("a", text=text, title=title)
    passage.lang = lang
    return reading_score(readings(QUESTION, [passage], WEIGHTS)[0])


def test_a_passage_is_worth_more_the_more_of_the_question_it_holds() -> None:
    everything = _read("O prazo de matrícula termina em março.", title="Prazo de matrícula")
    assert everything == pytest.approx(1)
    together, apart = _read("O prazo de matrícula."), _read("Matrícula: veja na secretaria qual é o prazo.")
    assert everything > together > apart > _read("O prazo acabou.") > _read("O restaurante abre.")


def test_of_the_same_words_those_in_a_heading_count_more() -> None:
    assert _read("Termina em março.", title="Prazo de matrícula") > _read("O prazo de matrícula.")


def test_passages_in_the_language_of_the_question_are_preferred() -> None:
    assert _read("O prazo.", lang="pt") == _read("O prazo.", lang="es") > _read("O prazo.", lang="en")


def test_without_passages_there_is_nothing_to_read() -> None:
    assert readings(QUESTION, [], WEIGHTS) == []
