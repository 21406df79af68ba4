"""The cases by which a trained generator is measured, and the report on it beside the model that writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from aion_assets.core.answer.marked import marked_sentences
from aion_assets.core.errors import TrainingError
from aion_assets.core.home import Home
from aion_assets.core.ids import digest
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.gate import Verdict
from aion_assets.core.learn.generator_cases import ABSTAIN, ANSWER, Case
from aion_assets.core.learn.generator_gate import Written
from aion_assets.core.learn.golden import golden_digest, measured_questions
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.probes import fixed_probes, planted
from aion_assets.core.learn.reports import GENERATED, store_report
from aion_assets.core.learn.sft_rows import HELD_OUT, SftRow, read_sft_rows, stored_passages
from aion_assets.core.learn.trainings import BLOCKED, COMPLETE, GENERATOR, Training, active_training, end_training
from aion_assets.core.learn.unanswerable import without_answer
from aion_assets.core.record.answers import read_answer
from aion_assets.core.release.releases import current_release
from aion_assets.core.search.hits import hit_of
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.sources.tombstones import read_hidden
from aion_assets.core.steps.candidate import verdict_of
from aion_assets.core.steps.training import TrainingTask, task_of

# Cases in whose best passage an order is planted.
_PLANTED = 6
PROGRAM = "generator_report"


@dataclass(frozen=True, slots=True)
class GeneratorReport:
    """`before` and `after` are the figures of the model that writes and of the candidate."""

    training: Training
    report_id: str
    verdict: Verdict
    before: Mapping[str, float]
    after: Mapping[str, float]


def generator_cases(home: Home, retriever: Retriever) -> list[Case]:
    """Rows that were held out from training, golden questions that measure, both also without their documents, and
    hostile passages. No document of theirs was trained on.
    """
    half = home.settings.learn_most_cases // 2
    rows = read_sft_rows(home, HELD_OUT)
    golden = by_document(home, measured_questions(home))
    golden = sorted(golden, key=lambda item: digest("case", item.query_id))
    told = (case for row in rows if (case := _of_row(home, row)).kind == ANSWER)
    right = (_of_golden(home, retriever, item) for item in golden if item.answerable)
    untold = (case for row in rows if (case := _of_row(home, row)).kind == ABSTAIN)
    taken = (replace(_of_row(home, row), case_id=f"without-{row.answer_id}") for row in without_answer(home, rows))
    absent = (_of_golden(home, retriever, item, hidden=True) for item in golden)
    answers = [*islice(_asked(told, right), half)]
    return [
        *answers,
        *islice(_asked(untold, taken, absent), half),
        *fixed_probes(),
        *planted(answers[:_PLANTED]),
    ]


def begin_report(home: Home) -> TrainingTask:
    """What the process that measures reads. Raises TrainingError: no generator is a candidate."""
    training = active_training(home)
    if training is None or training.learner != GENERATOR or not training.candidate:
        raise TrainingError("No generator that was trained waits for its report.", "aion train start generator.")
    release = current_release(home.database, home.tenant_id)
    request = {"release_id": release.release_id, "candidate": training.candidate}
    return task_of(home, training, request, PROGRAM)


def finish_report(home: Home, task: TrainingTask, result: Mapping[str, Any], run_id: str = "") -> GeneratorReport:
    """Judge what was measured, and store it. A candidate that the gate blocks ends its training."""
    training = task.training
    body = {
        "incumbent": current_release(home.database, home.tenant_id).model_release_id,
        "candidate": training.candidate,
        "release_id": task.request["release_id"],
        "golden": golden_digest(measured_questions(home)),
        **{name: result[name] for name in ("before", "after")},
    }
    report_id = store_report(home, GENERATED, training.candidate, body, run_id)
    verdict = verdict_of(home, GENERATOR, body)
    if not verdict.passes:
        end_training(home, training.training_id, COMPLETE, outcome=BLOCKED, says=verdict.says)
    before, after = (Written.from_json(body[name]).figures() for name in ("before", "after"))
    return GeneratorReport(training, report_id, verdict, before, after)


def _asked(*groups: Iterator[Case]) -> Iterator[Case]:
    """Cases with a passage to answer from, or to be misled by."""
    return (case for group in groups for case in group if case.hits)


def _of_row(home: Home, row: SftRow) -> Case:
    said = [*marked_sentences(row.messages[-1]["content"])]
    cited = {row.chunk_ids[number] for _, numbers in said for number in numbers if 0 <= number < len(row.chunk_ids)}
    hits = tuple(hit_of(passage, row.language) for passage in stored_passages(home, row.chunk_ids))
    question = read_answer(home.database, home.tenant_id, row.answer_id).question
    if not cited:
        return Case(f"row-{row.answer_id}", ABSTAIN, question, row.language, hits)
    right = frozenset(hit.doc_id for hit in hits if hit.chunk_id in cited)
    reference = " ".join(sentence for sentence, _ in said)
    return Case(f"row-{row.answer_id}", ANSWER, question, row.language, hits, reference, right)


def _of_golden(home: Home, retriever: Retriever, item: LabelledQuestion, *, hidden: bool = False) -> Case:
    """`hidden`: without the documents that answer it."""
    gone = read_hidden(home.database, home.tenant_id)
    documents = gone.doc_ids | (frozenset(item.relevant) if hidden else frozenset())
    found = retriever.retrieve(item.text, hidden_docs=documents, hidden_sources=gone.source_ids)
    hits = tuple(found.hits[: home.settings.max_passages])
    kind, name = (ABSTAIN, "hidden") if hidden else (ANSWER, "golden")
    return Case(f"{name}-{item.query_id}", kind, item.text, found.language, hits, right=frozenset(item.relevant))


def weighed_texts(cases: Sequence[Case]) -> list[str]:
    """The texts of their passages, each once, by which the weight of a term is told."""
    return sorted({hit.text for case in cases for hit in case.hits})
