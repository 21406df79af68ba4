"""Rows whose passages do not hold the answer, made of rows whose passages do: from them a model learns to say so.

The record has next to no such rows: below τ no model is asked. Every row names the answer that it was made of.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aion_assets.core.answer.marked import marked_sentences
from aion_assets.core.answer.prompt import render_prompt
from aion_assets.core.answer.support import Support, Supports
from aion_assets.core.answer.wording import wording
from aion_assets.core.home import Home
from aion_assets.core.ids import short_digest
from aion_assets.core.learn.sft_rows import SftRow, stored_passages
from aion_assets.core.record.answers import read_answer
from aion_assets.core.records import Passage
from aion_assets.core.search.hits import Hit, hit_of
from aion_assets.core.search.weights import TermWeights

# One row in so many is asked once more without its answer. With one in five a small model never abstained
# (docs/experiments.md, generator).
ONE_IN = 2


def chosen(rows: Sequence[SftRow]) -> list[SftRow]:
    """By a hash of the answer, so that the same record gives the same rows."""
    return [row for row in rows if int(short_digest("without answer", row.answer_id), 16) % ONE_IN == 0]


def without_answer(home: Home, rows: Sequence[SftRow]) -> list[SftRow]:
    """The rows without the documents that their answer cites. One that other passages answer, too, is left out."""
    passages = {row.answer_id: stored_passages(home, row.chunk_ids) for row in rows}
    weights = weights_of(passage for some in passages.values() for passage in some)
    found = (_without(home, row, passages[row.answer_id], weights) for row in rows)
    return [row for row in found if row is not None]


def weights_of(passages: Iterable[Passage]) -> Mapping[str, TermWeights]:
    """Weights of terms by language, over these passages."""
    texts = sorted({passage.text for passage in passages})
    return {language: TermWeights.of_texts(texts, language) for language in ("pt", "en")}


def _without(home: Home, row: SftRow, passages: Sequence[Passage], weights: Mapping[str, TermWeights]) -> SftRow | None:
    said = [*marked_sentences(row.messages[-1]["content"])]
    cited = {row.chunk_ids[number] for _, numbers in said for number in numbers if 0 <= number < len(row.chunk_ids)}
    documents = {passage.doc_id for passage in passages if passage.chunk_id in cited}
    left = [passage for passage in passages if passage.doc_id not in documents]
    if not cited or not left:
        return None
    hits: list[Hit] = [hit_of(passage, row.language) for passage in left]
    supports = Supports(hits, weights[row.language])
    if any(isinstance(supports.judge(sentence), Support) for sentence, _ in said):
        return None
    question = read_answer(home.database, home.tenant_id, row.answer_id).question
    prompt = render_prompt(question, left, row.language)
    told = {"role": "assistant", "content": wording(row.language).not_found}
    return replace(
        row,
        doc_ids=tuple(sorted({passage.doc_id for passage in left})),
        chunk_ids=tuple(passage.chunk_id for passage in left),
        messages=(*prompt.messages, told),
    )
