import pytest

from aion_assets.core.language.lemmas import in_dictionary_form, lemma


@pytest.mark.parametrize(
    ("forms", "expected"),
    [("leio lê lendo leu", "ler"), ("faço fiz fez", "fazer"), ("põe pôs", "pôr"), ("eleições", "eleição")],
)
def test_forms_of_an_irregular_portuguese_word_share_their_dictionary_form(forms: str, expected: str) -> None:
    assert {lemma(form, "pt") for form in forms.split()} == {expected}


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("situacoes", "situacao"),
        ("municipais", "municipal"),
        ("papeis", "papel"),
        ("depois", "depois"),
        ("dois", "dois"),
    ],
)
def test_of_words_that_the_dictionary_lacks_plurals_become_singulars(plural: str, singular: str) -> None:
    assert lemma(plural, "pt") == singular


def test_a_word_is_looked_up_in_one_language_after_the_other() -> None:
    assert lemma("wrote", "en") == lemma("Wrote", "pt", "en") == "write"
    assert lemma("wrote", "pt") == "wrote"
    assert lemma("xyzzys", "pt", "en") == "xyzzys"


def test_everything_but_the_words_of_a_text_stays() -> None:
    assert in_dictionary_form("Eu leio 2 arquivos_novos, não é?", "pt") == "eu ler 2 arquivo_novo, não ser?"
    assert in_dictionary_form("", "en") == ""
