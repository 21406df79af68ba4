from pathlib import Path

import numpy as np
import pytest
from passages import index, row

from aion_assets.core.learn.tuning import MIN_LABELLED, LabelledQuestion, tune_fusion
from aion_assets.core.search.fusion import FusionConfig
from aion_assets.core.search.retriever import Retriever

COUNT = 40


class _OneVector:
    """An embedder that finds every question nearest to the passage of its number."""

    embedder_id = "one"
    dimension = COUNT

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        return np.eye(COUNT, dtype=np.float32)[int(text.rsplit(" ", 1)[-1])]


@pytest.fixture
def retriever(tmp_path: Path) -> Retriever:
    """Vectors are right; the words of each question stand in the passage before the right one."""
    rows = [
        row(number, f"a palavra{(number + 1) % COUNT} está aqui", np.eye(COUNT, dtype=np.float32)[number])
        for number in range(COUNT)
    ]
    return Retriever(index(tmp_path, rows, COUNT), _OneVector(), "default", FusionConfig())


def _questions(count: int, offset: int) -> list[LabelledQuestion]:
    return [
        LabelledQuestion(
            f"Onde está a palavra{number} {number}", {f"https://example.org/{(number - offset) % COUNT}": 1}
        )
        for number in range(count)
    ]


def test_the_half_that_is_right_gets_the_weight(retriever: Retriever) -> None:
    assert tune_fusion(retriever, _questions(COUNT, 0)).dense_weight_pt > 0.5
    assert tune_fusion(retriever, _questions(COUNT, 1)).dense_weight_pt < 0.5


def test_only_languages_with_enough_questions_are_tuned(retriever: Retriever) -> None:
    tuned = tune_fusion(retriever, _questions(COUNT, 0))
    assert tuned.dense_weight_en == FusionConfig().dense_weight_en
    assert tuned.tuned_on == COUNT
    assert tune_fusion(retriever, _questions(MIN_LABELLED - 1, 0)) == FusionConfig()
