"""Another wording of a question is the same question; another number, name, sense or order is not."""

import pytest

from aion_assets.core.answer.same_question import sense_of
from aion_assets.core.language.question import Question

ALIKE = [
    ("Qual é o prazo do recurso?", "qual o prazo para o RECURSO"),
    ("Com quantos dias de antecedência devo pedir férias?", "Qual a antecedência para pedir férias?"),
    ("Gostaria de saber qual é o limite de alimentação em viagem.", "Qual o limite de alimentação em viagem?"),
    ("Quantos Grammys Beyonce ganhou?", "Quantos Grammys a Beyoncé ganhou?"),
    ("How often is a restore drill held?", "How often are restore drills held?"),
    ("Férias?", "férias"),
]
DIFFERENT = [
    ("Qual o prazo do recurso do artigo 5?", "Qual o prazo do recurso do artigo 6?"),
    ("Qual o prazo do recurso?", "Qual o prazo do recurso administrativo?"),
    ("Qual é o ramal da Maria Souza?", "Qual é o ramal do João Souza?"),
    ("O que diz a alínea a?", "O que diz a alínea e?"),
    ("Quem aprova as férias?", "Quando aprova as férias?"),
    ("Em quais cidades a UFMS mantém campi?", "Em quantas cidades a UFMS mantém campi?"),
    ("O que fazer antes da viagem de trabalho?", "O que fazer depois da viagem de trabalho?"),
    ("O que a unidade lógica faz no processador?", "O que é a unidade lógica no processador?"),
    ("Posso dividir as férias?", "Devo dividir as férias?"),
    ("Bebidas são reembolsadas em viagem?", "Bebidas não são reembolsadas em viagem?"),
    ("Qual o limite de reembolso com nota?", "Qual o limite de reembolso sem nota?"),
    ("O gestor aprova o diretor?", "O diretor aprova o gestor?"),
    ("How do I compile C++ code?", "How do I compile C# code?"),
    ("Who restores the database?", "When is the database restored?"),
    ("Qual o prazo de férias?", "What is the deadline of holidays?"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_another_wording_is_the_same_question(one: str, other: str) -> None:
    assert sense_of(Question.read(one)) == sense_of(Question.read(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_near_miss_is_another_question(one: str, other: str) -> None:
    assert sense_of(Question.read(one)) != sense_of(Question.read(other))
