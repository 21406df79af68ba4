"""The retrieval report measures the index on the installation's own labelled questions, and fits the ranker on them."""

import json
from pathlib import Path

import pytest
from workbench import Workbench, article, embedder, write_files

from aion_assets.core.errors import SettingsError
from aion_assets.core.learn.golden import FILE
from aion_assets.core.learn.ranking import MIN_LABELLED
from aion_assets.core.release import releases
from aion_assets.core.search.ranker import builtin_ranker
from aion_assets.core.steps.retrieval_report import RetrievalReport, measure_retrieval, read_report

SUBJECTS = ["bees", "lanterns", "glaciers", "violins", "harbours"]


@pytest.fixture
def bench(workbench: Workbench, tmp_path: Path) -> Workbench:
    files = {f"{subject}_md": article(subject) for subject in SUBJECTS}
    workbench.run(workbench.add(write_files(tmp_path / "docs", **files)))
    return workbench


def _label(bench: Workbench, count: int) -> None:
    url_of = {row["title"]: row["url"] for row in bench.rows("documents", "title url")}
    lines = [
        {"text": f"What does a keeper of {subject} do in week {week}?", "urls": [url_of[subject]]}
        for week in range(count // len(SUBJECTS) + 1)
        for subject in SUBJECTS
    ]
    text = "\n".join(json.dumps(line) for line in lines[:count])
    (bench.settings.home / FILE).write_text(text, "utf-8")


def _measure(bench: Workbench) -> RetrievalReport:
    return measure_retrieval(bench.home, bench.model, embedder)


def test_without_labelled_questions_the_built_in_ranker_is_released(bench: Workbench) -> None:
    report = _measure(bench)
    assert report.ranker == builtin_ranker(bench.model.embedder_id).to_json()
    assert report.metrics == {} and report.labelled == 0


def test_the_ranker_fitted_on_labelled_questions_is_released_with_its_figures(bench: Workbench) -> None:
    _label(bench, MIN_LABELLED)
    report = _measure(bench)
    assert report.ranker["fitted_on"]["questions"] == report.labelled == MIN_LABELLED
    assert report.metrics["ndcg@10"] > 0.9
    before = releases.current_release(bench.database, bench.tenant_id)
    assert bench.release().published
    now = releases.current_release(bench.database, bench.tenant_id)
    assert now.models.ranker == report.ranker != before.models.ranker
    measured = read_report(bench.home, now.table)
    assert measured is not None and measured.report_id == now.content.report_id
    assert measured.metrics["ndcg@10"] == report.metrics["ndcg@10"]


def test_a_few_labelled_questions_measure_but_do_not_fit(bench: Workbench) -> None:
    _label(bench, MIN_LABELLED - 1)
    report = _measure(bench)
    assert report.ranker == builtin_ranker(bench.model.embedder_id).to_json()
    assert report.metrics["recall@10"] == 1.0


def test_a_line_that_is_no_labelled_question_is_named(bench: Workbench) -> None:
    (bench.settings.home / FILE).write_text('{"text": "a question without addresses"}', "utf-8")
    with pytest.raises(SettingsError, match=f"Line 1 of .*{FILE}"):
        _measure(bench)
