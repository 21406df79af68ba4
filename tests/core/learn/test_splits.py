"""Golden questions are split by document, for good."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from aion_assets.core.errors import SourceError
from aion_assets.core.home import Home
from aion_assets.core.learn.golden import (
    APART,
    OF_IMPORT,
    TEST,
    TRAIN,
    counted_by_split,
    golden_questions,
    store_golden,
)
from aion_assets.core.learn.imported import import_golden
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.splits import assigned, freeze
from aion_assets.core.settings import Settings


def _row(name: str, *documents: str, split: str = "") -> dict[str, Any]:
    return {"query_id": name, "relevant": dict.fromkeys(documents, 1), "split": split}


def test_no_document_stands_in_two_splits() -> None:
    rows = [_row(f"q{number}", f"d{number // 3}", f"d{number // 3 + number % 2}") for number in range(300)]
    splits = assigned(rows, "")
    of_documents: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for document in row["relevant"]:
            of_documents[document].add(splits[row["query_id"]])
    assert all(len(found) == 1 for found in of_documents.values())


def test_every_split_gets_some_and_most_measure() -> None:
    splits = list(assigned([_row(f"q{number}", f"d{number}") for number in range(400)], "").values())
    assert splits.count(TEST) > splits.count(TRAIN) > 40
    assert set(splits) == {"test", "train", "dev"}


def test_another_seed_is_another_split() -> None:
    rows = [_row(f"q{number}", f"d{number}") for number in range(50)]
    assert assigned(rows, "one") != assigned(rows, "other")


def test_a_new_question_joins_the_split_of_its_document() -> None:
    rows = [_row(f"old {split}", split, split=split) for split in ("train", "dev", "test")]
    fresh = [_row(f"new {split}", split, f"further {split}") for split in ("train", "dev", "test")]
    assert assigned([*rows, *fresh], "") == {f"new {split}": split for split in ("train", "dev", "test")}


def test_a_question_whose_documents_are_in_two_splits_stands_apart() -> None:
    rows = [_row("a", "one", split="train"), _row("b", "other", split="test"), _row("new", "one", "other")]
    assert assigned(rows, "") == {"new": APART}


def test_a_split_is_kept_when_more_questions_come(settings: Settings) -> None:
    home = Home(settings)
    store_golden(home, [LabelledQuestion(f"question {number}", {f"u{number}": 1}) for number in range(40)], OF_IMPORT)
    first = freeze(home)
    test = {item.text for item in golden_questions(home, TEST)}
    store_golden(home, [LabelledQuestion(f"more {number}", {f"u{number}": 1}) for number in range(40)], OF_IMPORT)
    assert counted_by_split(home)[""] == 40
    assert freeze(home) == first, "one more on every document"
    assert test < {item.text for item in golden_questions(home, TEST)}


def test_a_table_of_questions_is_read_with_either_separator(settings: Settings, tmp_path: Path) -> None:
    home = Home(settings)
    for name, line in {"a.csv": "Onde, quando?,http://x/1 http://x/2", "b.csv": "E isto?;http://x/3"}.items():
        mark = ";" if name == "b.csv" else ","
        quoted = line if mark == ";" else '"Onde, quando?",http://x/1 http://x/2'
        (tmp_path / name).write_text(f"text{mark}urls\n{quoted}\n", "utf-8")
        assert import_golden(home, tmp_path / name).stored.added == 1
    found = {item.text: list(item.relevant) for item in golden_questions(home)}
    assert found == {"Onde, quando?": ["http://x/1", "http://x/2"], "E isto?": ["http://x/3"]}


def test_a_table_without_the_columns_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("pergunta,url\nOnde?,http://x\n", "utf-8")
    with pytest.raises(SourceError, match=r"Line 2.*no labelled question.*text and urls"):
        import_golden(Home(settings), tmp_path / "a.csv")


def test_a_folder_whose_corpus_is_no_source_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d0", "title": "", "text": "x"}', "utf-8")
    (tmp_path / "queries.jsonl").write_text('{"_id": "q0", "text": "x?"}', "utf-8")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0\t1\n", "utf-8")
    with pytest.raises(SourceError, match=r"corpus.jsonl is no source.*aion source add"):
        import_golden(Home(settings), tmp_path)
