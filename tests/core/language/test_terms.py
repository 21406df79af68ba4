import pytest

from aion_assets.core.language.terms import content_words, terms
from aion_assets.core.search.weights import TermWeights


@pytest.mark.parametrize(
    "words",
    [
        "SITUAÇÃO situações situacao situacoes",
        "configurar configuração configurações configurado",
        "crio criar criando",
        "papel papéis papeis",
        "decisão decisões decisoes",
        "create creating created creates",
        "apply applies applied",
        "leio ler lendo leu",
        "save saving saved",
        "commit commits committed",
        "release releases",
        "files file",
    ],
)
def test_forms_of_a_word_are_one_term_in_either_language(words: str) -> None:
    assert len(set(terms(words, "pt"))) == 1


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("escrevo escrever escreveu", "pt"),
        ("write wrote written", "en"),
        ("run runs running", "en"),
        ("use uses used", "en"),
        ("usa usou use usar", "pt"),
    ],
)
def test_the_dictionary_of_the_question_is_asked_first(words: str, language: str) -> None:
    assert len(set(terms(words, language))) == 1


def test_terms_are_content_words_in_their_order() -> None:
    assert terms("Qual é o prazo do Brasil?", "pt") == terms("prazo Brasil", "pt") != terms("Brasil prazo", "pt")
    assert terms("o que é?", "pt") == []
    assert len(set(terms("casa prazo preço 30 45", "pt"))) == 5


def test_texts_in_other_languages_have_the_terms_of_portuguese_ones() -> None:
    assert terms("política de devolución", "es") == terms("política de devolución", "pt") != []


def test_neighbouring_terms_count_where_they_stand_side_by_side_or_with_one_between() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "porta rara"], "pt")
    wanted = weights.wanted(terms("casa azul porta", "pt"))
    near, far = terms("casa tão azul, mesmo assim uma porta", "pt"), terms("porta azul depois da velha bela casa", "pt")
    assert 0 < wanted.pair_coverage(near) < 1
    assert wanted.pair_coverage(terms("casa azul porta", "pt")) == 1
    assert wanted.pair_coverage(far) == 0
    assert weights.wanted([]).pair_coverage(near) == 0


def test_function_words_of_either_language_can_be_left_out() -> None:
    assert content_words("How do I use git-rebase? E o que é a trait?") == "use git rebase trait"
    assert content_words("o que é?") == "o que é?"


def test_rare_terms_weigh_more_and_unknown_ones_most() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "casa rara"], "pt")
    common, rare, unknown = (weights.weight(term) for term in terms("casa azul nunca", "pt"))
    assert 0 < common < rare < unknown


def test_coverage_is_the_share_of_the_weight_found() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "casa rara"], "pt")
    house, blue = terms("casa azul", "pt")
    common, rare = weights.weight(house), weights.weight(blue)
    assert weights.wanted([house, blue]).coverage([blue, "other"]) == pytest.approx(rare / (rare + common))
    assert weights.wanted([house, house]).coverage([house]) == 1
    assert weights.wanted([]).coverage([house]) == 0
    assert weights.wanted([house]).coverage([]) == 0
