import math

import pytest

from aion_assets.core.learn.metrics import (
    auroc,
    exact_match,
    holds_answer,
    mrr_at_k,
    ndcg_at_k,
    paired_bootstrap,
    recall_at_k,
    token_f1,
)


def test_ndcg_discounts_gains_by_the_logarithm_of_the_rank() -> None:
    # Gains 3, 0, 1 at ranks 1, 2, 3 against the best order 3, 1.
    found = ["a", "x", "b"]
    assert ndcg_at_k(found, {"a": 2, "b": 1}, 10) == pytest.approx((3 + 1 / 2) / (3 + 1 / math.log2(3)))


def test_ndcg_counts_only_the_first_k_and_forgives_what_does_not_fit_into_them() -> None:
    assert ndcg_at_k(["x", "a"], {"a": 1}, 1) == 0
    assert ndcg_at_k(["a"], {"a": 1, "b": 1, "c": 1}, 1) == 1
    assert ndcg_at_k(["a"], {}, 10) == 0


def test_mrr_is_the_inverse_rank_of_the_first_relevant_item() -> None:
    assert mrr_at_k(["x", "y", "a", "b"], {"a": 1, "b": 2}, 10) == pytest.approx(1 / 3)
    assert mrr_at_k(["x", "y", "a"], {"a": 1}, 2) == 0
    assert mrr_at_k(["a"], {"a": 0}, 2) == 0


def test_recall_is_the_share_of_the_relevant_found() -> None:
    assert recall_at_k(["a", "x", "b"], {"a": 1, "b": 1, "c": 3, "d": 0}, 10) == pytest.approx(2 / 3)
    assert recall_at_k(["a", "x", "b"], {"a": 1, "b": 1}, 2) == pytest.approx(1 / 2)
    assert recall_at_k(["a"], {}, 2) == 0


def test_auroc_counts_pairs_in_the_right_order_and_half_of_the_ties() -> None:
    # Of 6 pairs: .9 beats all three, .5 beats .2, ties .5, loses to .7.
    assert auroc([0.9, 0.5], [0.2, 0.5, 0.7]) == pytest.approx(4.5 / 6)
    assert auroc([1.0], [0.0]) == 1
    assert math.isnan(auroc([], [0.1]))


def test_token_f1_takes_the_truth_that_matches_best() -> None:
    # "casa azul" of "casa muito azul": precision 2/3, recall 1.
    assert token_f1("A casa muito azul!", ["o carro", "casa azul"]) == pytest.approx(0.8)
    assert token_f1("nada", ["casa"]) == 0
    assert token_f1("casa", []) == 0
    assert token_f1("casa casa", ["casa"]) == pytest.approx(2 / 3)


def test_exact_match_ignores_case_accents_articles_and_punctuation() -> None:
    assert exact_match("A Informação.", ["informacao"]) == 1
    assert exact_match("The answer", ["answer"]) == 1
    assert exact_match("a informação toda", ["informação"]) == 0


def test_paired_bootstrap_bounds_the_mean_gain() -> None:
    before = [0.5] * 200
    after = [0.6 if index % 2 else 0.5 for index in range(200)]
    gain, low, high = paired_bootstrap(before, after)
    assert gain == pytest.approx(0.05)
    # ± 1.96 standard errors of .05 / sqrt(200)
    assert low == pytest.approx(0.043, abs=0.002)
    assert high == pytest.approx(0.057, abs=0.002)


def test_paired_bootstrap_of_equal_systems_includes_zero() -> None:
    _, low, high = paired_bootstrap([0.1, 0.9, 0.4], [0.9, 0.1, 0.4])
    assert low < 0 < high
    assert paired_bootstrap([], []) == (0.0, 0.0, 0.0)


def test_a_quote_holds_an_answer_that_stands_in_it_word_by_word_or_half_of_a_long_one() -> None:
    assert holds_answer("O prazo é de 30 dias úteis.", ["40 dias", "os 30 dias"]) == 1
    assert holds_answer("O prazo é de 30 dias úteis.", ["dias 30"]) == 0
    long_answer = "the coat is short and blue grey with silver tips that give it a shimmer"
    assert holds_answer("Its coat is short, blue grey, with silver tips.", [long_answer]) == 1
    assert holds_answer("Its coat is short.", [long_answer]) == 0
    # Four of five words stand in it, so the text is a part of it.
    assert holds_answer("silver tips give it colour", [long_answer]) == 1
    assert holds_answer("silver tips are rare in kittens", [long_answer]) == 0
    assert holds_answer("anything", [""]) == 0
