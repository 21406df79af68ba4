"""Rows for a generator: made of what people were told, with their way back, and never of what must not be learned."""

import json
import os
import subprocess
import sys
from pathlib import Path

from learning_base import GOLDEN, LearningBase, question
from small_llama import small_llama

from aion_assets.core.curate.decisions import Verdict, decide
from aion_assets.core.learn.golden import TRAIN as GOLDEN_TRAIN
from aion_assets.core.learn.golden import golden_questions
from aion_assets.core.learn.pairs import Barred
from aion_assets.core.learn.sft_rows import HELD_OUT, TRAIN, build_sft_rows, read_sft_rows
from aion_assets.core.record.feedback import Feedback, give_feedback

FREE = GOLDEN + 1  # a rule without a golden question


def test_an_answer_becomes_a_row_with_its_prompt_and_its_way_back(base: LearningBase) -> None:
    answer = base.ask(FREE)
    (row,) = build_sft_rows(base.home).rows
    system, user, said = row.messages
    assert row.answer_id == answer.answer_id
    assert answer.citations[0].passage.doc_id in row.doc_ids
    assert "Use only the numbered passages" in system["content"]
    assert user["content"].endswith(f"Question: {question(FREE)}")
    number = 1 + row.chunk_ids.index(answer.citations[0].passage.chunk_id)
    assert said == {"role": "assistant", "content": f"{answer.citations[0].quote} [{number}]"}
    assert f"\n\n[{number}] Rule" in user["content"]
    assert [*read_sft_rows(base.home, TRAIN), *read_sft_rows(base.home, HELD_OUT)] == [row]


def test_what_was_judged_bad_or_names_a_person_is_left_out_and_counted(base: LearningBase) -> None:
    bad, named = base.ask(FREE), base.ask(FREE + 1, text=f"My name is Maria. {question(FREE + 1)}")
    give_feedback(base.home, bad.answer_id, Feedback("down"))
    base.ask(FREE + 2)
    base.ask(FREE + 2)
    dataset = build_sft_rows(base.home)
    assert len(dataset.rows) == 1
    assert dataset.left_out == {"bad_answer": 1, "personal_name": 1, "repeated": 1}
    assert named.answer_id not in {row.answer_id for row in dataset.rows}


def test_no_document_of_a_golden_question_that_measures_is_shown_to_a_learner(base: LearningBase) -> None:
    base.label()
    trains = {item.text for item in golden_questions(base.home, GOLDEN_TRAIN)}
    measures = next(number for number in range(GOLDEN) if question(number) not in trains)
    base.ask(measures)
    base.ask(FREE)
    dataset = build_sft_rows(base.home)
    assert dataset.left_out == {"golden": 1}
    assert len(dataset.rows) == 1
    assert Barred.of_home(base.home).doc_ids.isdisjoint(dataset.rows[0].doc_ids)


def test_a_document_that_was_rejected_since_leaves_the_rows(base: LearningBase) -> None:
    answer = base.ask(FREE)
    assert len(build_sft_rows(base.home).rows) == 1
    decide(base.database, "default", [answer.citations[0].passage.doc_id], Verdict("rejected", "cli:ana", "old"))
    dataset = build_sft_rows(base.home)
    assert not dataset.rows
    assert dataset.left_out == {"passage_gone": 1}
    assert read_sft_rows(base.home, TRAIN) == []


def test_an_abstention_is_learned_only_where_somebody_found_it_right(base: LearningBase) -> None:
    answer = base.ask(FREE, tau=1.0)
    assert build_sft_rows(base.home).left_out == {"abstention_unjudged": 1}
    give_feedback(base.home, answer.answer_id, Feedback("up"))
    (row,) = build_sft_rows(base.home).rows
    assert row.messages[-1]["content"] == "I did not find the answer in the knowledge base."


def test_the_same_record_gives_the_same_dataset(base: LearningBase) -> None:
    for number in range(5):
        base.ask(FREE + number)
    assert build_sft_rows(base.home).digest == build_sft_rows(base.home).digest


def test_the_trainer_makes_an_adapter_of_the_rows_that_the_base_model_takes_up(
    base: LearningBase, tmp_path: Path
) -> None:
    from trainer.base_model import load_base_model
    from trainer.generator import Generator

    for number in range(FREE, FREE + 30):
        base.ask(number)
    rows = build_sft_rows(base.home).rows
    # Whole words are its tokens: attention over single bytes would take most of a minute.
    words = [message["content"] for row in rows for message in row.messages]
    model = small_llama(tmp_path / "llama", window=4096, words=words)
    request, result = tmp_path / "request.json", tmp_path / "result.json"
    quick = {"max_tokens": 4096, "batch_tokens": 8192, "learning_rate": 0.01, "rank": 4}
    request.write_text(json.dumps({"config": quick}))
    environment = os.environ | {"AION_BASE_MODEL": str(model), "AION_HOME": str(base.home.settings.home)}
    command = [sys.executable, "-m", "trainer", "generator", str(request), str(result)]
    subprocess.run(command, env=environment, check=True, timeout=250, capture_output=True)
    made = json.loads(result.read_text())
    assert made["figures"]["rows"] == len(read_sft_rows(base.home, TRAIN)) >= 20
    assert made["figures"]["too_long"] == 0
    generator = Generator(load_base_model(str(model)))
    try:
        folder = base.home.settings.home / "adapters" / made["name"]
        assert generator.use_adapter(folder) == made["digest"]
    finally:
        generator.close()


def test_without_a_base_model_the_trainer_says_what_is_missing(base: LearningBase, tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text("{}")
    command = [sys.executable, "-m", "trainer", "generator", str(request), str(tmp_path / "result.json")]
    environment = os.environ | {"AION_HOME": str(base.home.settings.home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "AION_BASE_MODEL is empty" in done.stderr
