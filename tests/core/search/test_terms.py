import pytest

from aion_assets.core.search.terms import TermWeights, terms


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
        "save saving saved",
        "run runs running",
        "commit commits committed",
        "release releases",
        "files file",
    ],
)
def test_forms_of_a_word_are_one_term_in_either_language(words: str) -> None:
    assert len(set(terms(words))) == 1


def test_terms_are_content_words_in_their_order() -> None:
    assert terms("Qual é o prazo do Brasil?") == terms("prazo Brasil") != terms("Brasil prazo")
    assert terms("o que é?") == []
    assert len(set(terms("casa prazo preço 30 45"))) == 5


def test_rare_terms_weigh_more_and_unknown_ones_most() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "casa rara"])
    common, rare, unknown = (weights.weight(term) for term in terms("casa azul nunca"))
    assert 0 < common < rare < unknown == weights.greatest


def test_coverage_is_the_share_of_the_weight_found() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "casa rara"])
    house, blue = terms("casa azul")
    common, rare = weights.weight(house), weights.weight(blue)
    assert weights.coverage([house, blue], [blue, "other"]) == pytest.approx(rare / (rare + common))
    assert weights.coverage([house, house], [house]) == 1
    assert weights.coverage([], [house]) == 0
    assert weights.coverage([house], []) == 0
