"""The retrieval report measures the index on the installation's own labelled questions, as it will serve."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from workbench import Workbench, article, embedder, write_files

from aion_assets.core.errors import SettingsError
from aion_assets.core.learn.golden import FILE
from aion_assets.core.release import releases
from aion_assets.core.release.models import store_candidate
from aion_assets.core.search.ranker import builtin_ranker, halves_only
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


def test_labelled_questions_measure_but_change_nothing_by_themselves(bench: Workbench) -> None:
    """Weights that they teach go through the gate."""
    _label(bench, 30)
    report = _measure(bench)
    assert report.ranker == builtin_ranker(bench.model.embedder_id).to_json()
    assert report.labelled == 30 and report.metrics["ndcg@10"] > 0.9
    assert not bench.release().published


def test_the_ranker_that_serves_is_the_one_that_is_measured(bench: Workbench) -> None:
    _label(bench, 30)
    current = releases.current_release(bench.database, bench.tenant_id)
    learned = replace(current.models, ranker=halves_only(0.3, 0.0).to_json())
    store_candidate(bench.home, learned, "run")
    releases.publish(bench.home, current.index, learned, releases.Publication("tester"))
    assert _measure(bench).ranker == learned.ranker
    measured = read_report(bench.home, current.table)
    assert measured is not None and measured.metrics["recall@10"] == 1.0


def test_a_line_that_is_no_labelled_question_is_named(bench: Workbench) -> None:
    (bench.settings.home / FILE).write_text('{"text": "a question without addresses"}', "utf-8")
    with pytest.raises(SettingsError, match=f"Line 1 of .*{FILE}"):
        _measure(bench)
