import pytest

from aion_assets.core.language.question import (
    MAX_QUESTION_CHARS,
    Question,
    as_question,
    clean_question,
    question_language,
)
from aion_assets.core.language.terms import terms


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Como instalo o Rust no Windows?", "pt"),
        ("como instalar git", "pt"),
        ("prazo de matrícula", "pt"),
        ("How do I undo the last commit?", "en"),
        ("when was penicillin discovered", "en"),
        ("difference between rebase and merge", "en"),
        ("Qual a diferença entre has_many e has_and_belongs_to_many?", "pt"),
        ("“where” – how?", "en"),
        ("git rebase --onto", "pt"),
        ("", "pt"),
        ("42?", "pt"),
    ],
)
def test_the_language_of_a_question_is_portuguese_unless_it_looks_english(question: str, language: str) -> None:
    assert question_language(question) == language


def test_a_question_becomes_one_valid_line_of_bounded_length() -> None:
    assert clean_question("  o que\n\té\x00 isto? ") == "o que é isto?"
    assert clean_question("a\ud800b") == "a?b"
    assert len(clean_question("palavra " * 5_000)) <= MAX_QUESTION_CHARS


def test_a_question_is_read_once_with_its_language_and_terms() -> None:
    read = Question.read("  Qual é o prazo\nde matrícula? ")
    assert (read.text, read.language) == ("Qual é o prazo de matrícula?", "pt")
    assert read.terms == tuple(terms(read.text, "pt")) and len(read.terms) == 2
    assert as_question(read) is read and as_question(read.text) == read


@pytest.mark.parametrize(
    ("question", "where_english"),
    [
        ("TW-4100", "en"),
        ("wifi password", "en"),
        ("qual a senha", "pt"),
        ("horário sábado", "pt"),
        ("dress code", "en"),
    ],
)
def test_words_that_tell_no_language_are_read_in_that_of_the_base(question: str, where_english: str) -> None:
    read = Question.read(question)
    assert read.language == "pt" and read.where_spoken("") is read and read.where_spoken("pt") is read
    there = read.where_spoken("en")
    assert there.language == where_english and there.terms == tuple(terms(question, where_english))


def test_english_words_are_english_wherever_they_are_asked() -> None:
    assert Question.read("What is the refund policy?").where_spoken("pt").language == "en"
