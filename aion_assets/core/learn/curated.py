"""A curator's decision on a correction, and what it teaches: an approved one is a golden question, too."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.learn.golden import store_golden
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.splits import freeze_new
from aion_assets.core.record.corrections import APPROVED, Correction, Decision, decide_correction, used_corrections

OF_CORRECTION = "correction"
_passages = tables.answer_passages


def decide(home: Home, correction_id: str, decision: Decision) -> Correction:
    """Approve or reject a correction. One that rests on documents becomes a golden question that names them.

    Raises CorrectionError: it is not there, or cannot be decided so.
    """
    decided = decide_correction(home, correction_id, decision)
    addresses = [address for _, _, address in _documents(home, decided)] if decided.state == APPROVED else []
    if addresses:
        store_golden(home, [LabelledQuestion(decided.question, dict.fromkeys(addresses, 1))], OF_CORRECTION)
        freeze_new(home)
    return decided


def corrected_documents(home: Home) -> Iterator[tuple[Correction, Sequence[tuple[str, str, str]]]]:
    """Every approved correction with (doc_id, source_id, address) of the documents that it rests on."""
    for item in used_corrections(home):
        if item.state == APPROVED:
            yield item, _documents(home, item)


def with_expected_answers(home: Home, questions: Iterable[LabelledQuestion]) -> list[LabelledQuestion]:
    """The questions, those with what approved corrections say that they should be answered with."""
    texts: dict[str, tuple[str, ...]] = {}
    for item in used_corrections(home):
        if item.state == APPROVED:
            texts[item.question] = (*texts.get(item.question, ()), item.text)
    return [replace(question, answers=texts.get(question.text, question.answers)) for question in questions]


def _documents(home: Home, item: Correction) -> list[tuple[str, str, str]]:
    ranks = [entry["rank"] for entry in item.rests_on]
    columns = (_passages.c.doc_id, _passages.c.source_id, _passages.c.url)
    asked = select(*columns).where(_passages.c.answer_id == item.answer_id, _passages.c.rank.in_(ranks))
    with home.database.read() as connection:
        return [(row.doc_id, row.source_id, row.url) for row in connection.execute(asked.order_by(_passages.c.rank))]
