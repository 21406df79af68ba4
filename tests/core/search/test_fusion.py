import numpy as np
import pytest

from aion_assets.core.search.fusion import FusionConfig, Scores, builtin_fusion, fuse


def _fused(dense: list[float], lexical: list[float], reading: list[float], reading_weight: float = 0.0) -> Scores:
    config = FusionConfig(0.3, 0.3, reading_weight=reading_weight)
    return fuse(np.array(dense), np.array(lexical), np.array(reading), config, "pt")


def test_scores_are_mixed_over_the_best_of_each_half() -> None:
    mixed = _fused([0.8, 0.4], [5.0, 10.0], [0, 0])
    assert mixed == pytest.approx([0.3 * 1 + 0.7 * 0.5, 0.3 * 0.5 + 0.7 * 1])


def test_reading_takes_its_share_of_both_halves() -> None:
    assert _fused([0.8, 0.4], [10.0, 10.0], [0.5, 1.0], 0.4) == pytest.approx([0.6 + 0.2, 0.6 * 0.85 + 0.4])


def test_a_half_that_found_nothing_is_silent() -> None:
    assert _fused([0.8, 0.4], [0, 0], [0, 0]) == pytest.approx([0.3, 0.15])
    assert _fused([-0.1, -0.4], [0, 0], [0, 0]) == pytest.approx([0, 0])
    assert _fused([], [], []).size == 0


def test_above_a_floor_the_differences_of_cosines_count_whole() -> None:
    config = FusionConfig(1.0, 1.0, reading_weight=0.0, dense_floor=0.7)
    none = np.zeros(3)
    assert fuse(np.array([0.91, 0.85, 0.6]), none, none, config, "pt") == pytest.approx([0.7, 0.5, 0.0])


def test_e5_has_a_mix_of_its_own() -> None:
    assert builtin_fusion("multilingual-e5-small-enpt@abc").dense_floor > 0
    assert builtin_fusion("all-MiniLM-L6-v2@abc") == FusionConfig()


def test_english_questions_trust_an_english_embedder_more() -> None:
    config = FusionConfig()
    assert config.dense_weight("en") > config.dense_weight("pt") == config.dense_weight("es")


def test_a_fusion_survives_its_json_form() -> None:
    config = FusionConfig(0.1, 0.9, 40, 0.2, 0.1, 0.7)
    assert FusionConfig.from_json(config.to_json()) == config


def test_a_fusion_of_a_release_from_before_sections_counted_is_read() -> None:
    older = FusionConfig.from_json(
        {"dense_weight_pt": 0.4, "dense_weight_en": 0.6, "tuned_on": 0, "reading_weight": 0.2}
    )
    assert (older.dense_weight("pt"), older.sections_weight) == (0.4, 0.0)
