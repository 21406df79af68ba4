"""Learned models that prove worse are taken back, and nothing else changes."""

from learning_base import GOLDEN, LearningBase
from workbench import loaded_embedder

from aion_assets.core.learn.regression import find_regression
from aion_assets.core.learn.trainings import WATCH
from aion_assets.core.release.releases import current_release
from aion_assets.core.release.rollback import roll_back_models
from aion_assets.core.steps.golden_figures import golden_figures


def _measure(base: LearningBase) -> None:
    golden_figures(base.home, lambda _models: loaded_embedder(base.model))


def test_models_that_find_less_than_those_before_are_named(base: LearningBase) -> None:
    base.label()
    before = current_release(base.database, base.tenant_id)
    _measure(base)
    forced = base.serve_vectors_alone()
    assert not find_regression(base.home).to, "nothing was measured since"
    _measure(base)
    found = find_regression(base.home)
    assert found.to == before.model_release_id and "nDCG@10 fell by" in found.says
    now = roll_back_models(base.home, found.to, WATCH)
    assert now.models.text == before.models.text and now.index["rows"] == forced.index["rows"]
    assert "built-in" in find_regression(base.home).says


def test_models_that_are_no_worse_stay(base: LearningBase) -> None:
    base.label()
    base.serve_vectors_alone()
    _measure(base)
    from aion_assets.core.search.ranker import builtin_ranker

    base.serve_ranker(builtin_ranker(base.model.embedder_id).with_shares({}, {"again": True}))
    _measure(base)
    assert not find_regression(base.home).to


def test_models_under_which_people_get_no_answers_any_more_are_named(base: LearningBase) -> None:
    base.home.settings = base.settings.model_copy(update={"learn_min_answers": 20})
    for number in range(25):
        base.ask(GOLDEN + number % 40)
    before = current_release(base.database, base.tenant_id)
    base.serve_vectors_alone()
    for number in range(25):
        base.ask(GOLDEN + number % 40, tau=1.0)
    found = find_regression(base.home)
    assert found.to == before.model_release_id and "Abstentions rose from 0.000 to 1.000" in found.says


def test_after_a_roll_back_of_its_own_it_rests(base: LearningBase) -> None:
    base.label()
    first = base.serve_vectors_alone()
    _measure(base)
    base.serve_ranker(first_worse())
    _measure(base)
    roll_back_models(base.home, first.model_release_id, WATCH)
    assert "last hour" in find_regression(base.home).says


def first_worse():  # type: ignore[no-untyped-def]
    from aion_assets.core.search.ranker import halves_only

    return halves_only(0.999, 0.0)
