"""What golden questions tell of a retriever."""

from collections.abc import Iterator
from statistics import fmean

import pytest
from learning_base import GOLDEN, LearningBase, learning_base, question
from workbench import loaded_embedder

from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.measured import Measured, measure_order
from aion_assets.core.release.releases import current_release
from aion_assets.core.search.ranker import halves_only
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.settings import Settings


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        yield made


def test_the_oracle_is_the_order_of_the_score_that_knows_the_right_page(base: LearningBase) -> None:
    questions = by_document(
        base.home, [LabelledQuestion(question(number), {base.addresses[number]: 1}) for number in range(GOLDEN)]
    )
    release = current_release(base.database, base.tenant_id)
    table = base.lake.table_at(release.table, release.tag)

    def measured(share_of_vectors: float) -> Measured:
        ranker = halves_only(share_of_vectors, 0.0)
        return measure_order(Retriever(table, loaded_embedder(base.model), base.tenant_id, ranker), questions)

    vectors, text = measured(1.0), measured(0.0)
    assert fmean(vectors.ndcg) < 0.6 < 0.95 < fmean(text.ndcg), "only full text can tell one rule from another"
    assert all(
        best >= max(one, other) for best, one, other in zip(vectors.oracle, vectors.ndcg, text.ndcg, strict=True)
    )


def test_a_measurement_of_before_the_oracle_is_read() -> None:
    stored = Measured(query_ids=["a"], ndcg=[0.5]).to_json()
    del stored["oracle"]
    assert Measured.from_json(stored).oracle == []
