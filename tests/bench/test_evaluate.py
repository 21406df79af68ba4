"""`aion bench` on a small labelled set: the figures are those of what is really found."""

import json
from pathlib import Path

import pytest
from workbench import article

from aion_assets.core.errors import SourceError
from aion_assets.core.learn.labelled import load_labelled_set, load_site_questions
from bench.evaluate import bench_answers, bench_retrieval

SUBJECTS = ["bees", "lanterns", "glaciers", "violins", "harbours"]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """One document a subject, of which the first comes twice; every question but the last has its answer there."""
    corpus = [{"_id": subject, "title": subject, "text": article(subject, 3)} for subject in SUBJECTS]
    corpus.append(corpus[0] | {"_id": "bees-again"})
    queries = [
        {"_id": f"q-{subject}", "text": f"What does a keeper of {subject} do in week 2?", "answers": ["week 2"]}
        for subject in SUBJECTS
    ]
    queries.append({"_id": "q-none", "text": "Who won the chess match in Reykjavik?"})
    qrels = [f"q-{subject}\t{subject}\t1" for subject in SUBJECTS[1:]] + ["q-bees\tbees-again\t1"]
    folder = tmp_path / "labelled"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels]), "utf-8")
    return folder


def test_retrieval_is_measured_on_the_answerable_questions(labelled: Path) -> None:
    figures = bench_retrieval(labelled)
    assert figures["n"] == len(SUBJECTS)
    # Also for the document that repeats another, of which only the primary is indexed.
    assert figures["recall@10"] == figures["mrr@10"] == figures["ndcg@10"] == 1.0
    assert figures["auroc_own_unanswerable"] == 1.0
    assert figures["auroc_off_topic"] is None


def test_answers_are_measured_with_their_abstentions(labelled: Path) -> None:
    figures = bench_answers(labelled)
    assert figures["n_absent"] == len(SUBJECTS) + 1
    assert figures["right_passage_offered_of_all"] == 1.0
    answered = int(figures["answered"] or 0)
    assert figures["right_passage_cited_of_all"] == pytest.approx(answered / len(SUBJECTS), abs=1e-4)
    assert figures["abstained"] == pytest.approx(1 - answered / len(SUBJECTS), abs=1e-4)
    assert figures["first_quote_holds_of_all"] == 1.0 and figures["unjudged"] == 0
    assert figures["auroc_first_quote"] is None  # no quote was wrong
    counts = {name: value for name, value in figures.items() if name.startswith("n_of_")}
    assert sum(int(value or 0) for value in counts.values()) == len(SUBJECTS)
    assert {figures[f"right_{name[2:]}"] for name, value in counts.items() if value} == {1.0}
    assert float(figures["auroc_removed"] or 0) > 0.5 and figures["auroc_own_unanswerable"] == 1.0


def test_a_quote_is_not_judged_by_an_answer_that_stands_in_no_document(labelled: Path) -> None:
    lines = (
        (labelled / "queries.jsonl").read_text("utf-8").replace('"answers": ["week 2"]', '"answers": ["semaine 2"]', 1)
    )
    (labelled / "queries.jsonl").write_text(lines, "utf-8")
    figures = bench_answers(labelled)
    assert figures["first_quote_holds_of_all"] == 1.0
    assert figures["unjudged"] == (1 if figures["answered"] == len(SUBJECTS) else figures["unjudged"])


def test_a_limit_asks_that_many_questions_and_the_seed_chooses_the_same_again(labelled: Path) -> None:
    some = bench_retrieval(labelled, limit=3, seed=1)
    again = bench_retrieval(labelled, limit=3, seed=1)
    timed = {name for name in some if name.endswith(("_ms", "seconds"))}
    assert {name: some[name] for name in some.keys() - timed} == {name: again[name] for name in again.keys() - timed}
    assert int(some["n"] or 0) <= 3


def test_a_folder_without_its_files_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"corpus\.jsonl is missing"):
        bench_retrieval(tmp_path)


def test_ids_of_judgements_are_taken_as_they_stand_and_a_line_that_is_none_is_named(labelled: Path) -> None:
    qrels = labelled / "qrels.tsv"
    qrels.write_text('query-id\tcorpus-id\tscore\nq-bees\t"bees"\t1\nq-none\t"open\t2\n\n', "utf-8")
    by_id = {query.query_id: query for query in load_labelled_set(labelled).queries}
    assert by_id["q-bees"].relevant == {'"bees"': 1}
    assert by_id["q-none"].relevant == {'"open': 2}
    qrels.write_text("query-id\tcorpus-id\tscore\nq-bees bees 1\n", "utf-8")
    with pytest.raises(SourceError, match=r"Line 2 of .*'q-bees bees 1'"):
        load_labelled_set(labelled)


def test_the_databases_and_the_lake_that_the_environment_names_are_left_alone(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lake = tmp_path / "real.sqlite", tmp_path / "lake"
    monkeypatch.setenv("AION_DATABASE_URL", f"sqlite:///{real}")
    monkeypatch.setenv("AION_LAKE_URI", str(lake))
    bench_retrieval(labelled, limit=1)
    assert not real.exists() and not lake.exists()


def test_the_questions_of_a_site_name_its_pages_by_their_paths(tmp_path: Path) -> None:
    path = tmp_path / "site.jsonl"
    path.write_text(
        '{"text": "Como instalo?", "pages": ["guide/install.html"]}\n{"text": "Quanto custa?", "pages": []}\n', "utf-8"
    )
    labelled = load_site_questions("http://example.org/docs/", path)
    assert [query.answerable for query in labelled.queries] == [True, False]
    assert labelled.queries[0].relevant == {"http://example.org/docs/guide/install.html": 1}
    with pytest.raises(SourceError, match="nowhere"):
        load_site_questions("http://example.org/", tmp_path / "nowhere.jsonl")
