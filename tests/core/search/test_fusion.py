import numpy as np
import pytest

from aion_assets.core.search.fusion import FusionConfig, fuse


def test_scores_are_mixed_over_the_best_of_each_half() -> None:
    mixed = fuse(np.array([0.8, 0.4]), np.array([5.0, 10.0]), 0.3)
    assert mixed == pytest.approx([0.3 * 1 + 0.7 * 0.5, 0.3 * 0.5 + 0.7 * 1])


def test_a_half_that_found_nothing_is_silent() -> None:
    assert fuse(np.array([0.8, 0.4]), np.zeros(2), 0.3) == pytest.approx([0.3, 0.15])
    assert fuse(np.array([-0.1, -0.4]), np.zeros(2), 0.3) == pytest.approx([0, 0])
    assert fuse(np.array([]), np.array([]), 0.3).size == 0


def test_english_questions_trust_an_english_embedder_more() -> None:
    config = FusionConfig()
    assert config.dense_weight("en") > config.dense_weight("pt") == config.dense_weight("es")


def test_a_fusion_survives_its_json_form() -> None:
    config = FusionConfig(0.1, 0.9, 40)
    assert FusionConfig.from_json(config.to_json()) == config
