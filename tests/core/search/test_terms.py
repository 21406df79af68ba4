import pytest

from aion_assets.core.search.terms import TermWeights, terms


def test_terms_are_content_words_without_accents_case_and_endings() -> None:
    assert terms("Qual é a SITUAÇÃO das eleições?") == ["situac", "eleico"]
    assert terms("situacoes, situação") == ["situac", "situac"]
    assert terms("What are the running dogs?") == ["runnin", "dogs"]
    assert terms("o que é?") == []


def test_rare_terms_weigh_more_and_unknown_ones_most() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "casa rara"])
    assert 0 < weights.weight("casa") < weights.weight("azul") < weights.weight("nunca") == weights.greatest


def test_coverage_is_the_share_of_the_weight_found() -> None:
    weights = TermWeights.of_texts(["casa azul", "casa verde", "casa rara"])
    common, rare = weights.weight("casa"), weights.weight("azul")
    assert weights.coverage(["casa", "azul"], ["azul", "outro"]) == pytest.approx(rare / (rare + common))
    assert weights.coverage(["casa", "casa"], ["casa"]) == 1
    assert weights.coverage([], ["casa"]) == 0
    assert weights.coverage(["casa"], []) == 0
