"""A candidate is released only when it is better beyond noise and worse nowhere."""

import random

from aion_assets.core.learn.gate import judge
from aion_assets.core.learn.measured import Measured

N = 200


def _measured(shift: float = 0.0, *, noise: float = 0.0, seed: int = 0, **changed: object) -> Measured:
    chance = random.Random(7)
    other = random.Random(seed)
    ndcg = [min(1.0, max(0.0, chance.uniform(0.5, 0.9) + shift + other.uniform(-noise, noise))) for _ in range(N)]
    values: dict[str, object] = {
        "query_ids": [f"q{number}" for number in range(N)],
        "ndcg": ndcg,
        "found": [1.0] * N,
        "present": [0.5 + 0.4 * chance.random() for _ in range(N)],
        "absent": [0.1 + 0.5 * chance.random() for _ in range(N)],
        "search_ms": [20.0] * N,
    }
    return Measured(**{**values, **changed})  # type: ignore[arg-type]


def test_a_candidate_that_orders_better_passes() -> None:
    verdict = judge(_measured(), _measured(0.05), 30)
    assert verdict.passes and "+0.05" in verdict.says


def test_a_candidate_that_orders_worse_is_blocked_and_the_reason_is_said() -> None:
    verdict = judge(_measured(), _measured(-0.05), 30)
    assert not verdict.passes and "worse" in verdict.says


def test_the_same_models_are_no_gain() -> None:
    verdict = judge(_measured(), _measured(), 30)
    assert not verdict.passes and "Nothing is better beyond noise." in verdict.says


def test_noise_around_the_same_mean_never_passes() -> None:
    verdicts = [judge(_measured(), _measured(noise=0.3, seed=seed), 30) for seed in range(40)]
    assert sum(verdict.passes for verdict in verdicts) <= 2


def test_a_better_order_that_learned_from_what_is_not_to_be_believed_is_blocked() -> None:
    verdict = judge(_measured(), _measured(0.05), 30, doubt="The clicks follow the place.")
    assert not verdict.passes and verdict.says.startswith("The clicks follow the place. nDCG@10 changes by +0.05")


def test_a_better_order_that_tells_answers_worse_is_blocked() -> None:
    verdict = judge(_measured(), _measured(0.05, absent=[0.9] * N), 30)
    assert not verdict.passes and "confidence" in verdict.says


def test_a_better_order_whose_confidence_tells_answers_as_before_passes_whatever_the_chance() -> None:
    """Other vectors change every confidence a little."""
    verdicts = []
    for seed in range(40):
        chance = random.Random(seed)
        present = [0.5 + 0.4 * chance.random() for _ in range(N)]
        absent = [0.1 + 0.5 * chance.random() for _ in range(N)]
        verdicts.append(judge(_measured(), _measured(0.05, present=present, absent=absent), 30))
    assert sum(verdict.passes for verdict in verdicts) >= 36


def test_a_confidence_that_tells_answers_a_little_worse_is_blocked_where_that_is_beyond_noise() -> None:
    before = _measured(present=[0.9] * N, absent=[0.1] * N)
    after = _measured(0.05, present=[0.9] * N, absent=[0.1] * (N - 6) + [0.9] * 6)
    verdict = judge(before, after, 30)
    assert verdict.gains["auroc"].mean > -0.02 and not verdict.passes
    assert "tells answers worse" in verdict.says


def test_a_better_order_that_searches_much_slower_is_blocked() -> None:
    verdict = judge(_measured(), _measured(0.05, search_ms=[80.0] * N), 30)
    assert not verdict.passes and "80 ms instead of 20 ms" in verdict.says


def test_too_few_questions_judge_nothing() -> None:
    verdict = judge(_measured(), _measured(0.05), N + 1)
    assert not verdict.passes and f"Only {N} golden questions" in verdict.says


def test_measurements_on_different_questions_are_not_compared() -> None:
    assert not judge(_measured(), _measured(0.05, query_ids=["x"] * N), 30).passes


def test_candidates_that_hold_the_right_page_more_often_are_a_gain_by_themselves() -> None:
    before = _measured(found=[0.0] * 40 + [1.0] * (N - 40))
    assert judge(before, _measured(), 30).passes
