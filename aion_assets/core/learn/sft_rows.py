"""Rows that a generator learns from: the prompt of an answer, and the answer, from the record of what people were told.

Every row names its answer, documents and passages; every answer that becomes no row counts under its reason.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from aion_assets.core.answer.generative import GENERATIVE
from aion_assets.core.answer.prompt import render_prompt
from aion_assets.core.answer.wording import wording
from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.ids import digest, short_digest
from aion_assets.core.lake.diff import counted_version
from aion_assets.core.lake.tables import CHUNKS, SFT_ROWS
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.learn.pairs import Barred, plain, thumbs
from aion_assets.core.learn.pii import personal_data_in
from aion_assets.core.record.answers import AnswerRecord, State, read_answer
from aion_assets.core.records import Passage, Place
from aion_assets.core.sources.tombstones import Hidden, read_hidden

TRAIN, HELD_OUT = "train", "held_out"
MAX_ROWS = 20_000
# Of the documents, by a hash of the document that an answer rests on: no document is in both splits.
_HELD_OUT_OF = 10
_OWN = ("", "local", "worker")  # providers whose words may be learned: AION's quotes, and models of one's own
_MARK = re.compile(r"\[(\d+)\]")
_CHUNK = ["chunk_id", "doc_id", "doc_version", "source_id", "title", "url", "page", "heading", "fragment", "text"]
_answers = tables.answers


@dataclass(frozen=True, slots=True)
class SftRow:
    """`messages` end with the answer. `answer_id` names the answer that the row was made of."""

    answer_id: str
    user_id: str
    language: str
    split: str
    doc_ids: tuple[str, ...]
    chunk_ids: tuple[str, ...]
    messages: tuple[Mapping[str, str], ...]


@dataclass(slots=True)
class SftDataset:
    """`left_out` counts answers by the reason why nothing is learned from them."""

    rows: list[SftRow] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        return counted_version((row.answer_id, digest(row.split, json.dumps(row.messages))) for row in self.rows)[1]

    def counts(self) -> Counter[str]:
        return Counter(row.split for row in self.rows)


class _LeftOut(Exception):  # no error: it carries a reason
    pass


def build_sft_rows(home: Home) -> SftDataset:
    """Gather the rows anew and store them in the place of those of before."""
    dataset = gather_sft_rows(home)
    _store(home, dataset.rows)
    return dataset


def gather_sft_rows(home: Home) -> SftDataset:
    """The newest answers first. Stores nothing."""
    dataset = SftDataset()
    judged, barred = thumbs(home), Barred.of_home(home)
    hidden = read_hidden(home.database, home.tenant_id)
    seen: set[str] = set()
    for record in _told(home):
        try:
            row = _row(home, record, judged.get(record.answer_id, 0), barred, hidden)
            said = plain(f"{record.question} {row.messages[-1]['content']}")
            if said in seen:
                raise _LeftOut("repeated")
            if len(dataset.rows) == MAX_ROWS:
                raise _LeftOut("beyond_the_limit")
        except _LeftOut as reason:
            dataset.left_out[str(reason)] += 1
            continue
        seen.add(said)
        dataset.rows.append(row)
    return dataset


def read_sft_rows(home: Home, split: str) -> list[SftRow]:
    """In a fixed order."""
    names = list(SftRow.__dataclass_fields__)
    found = []
    for stored in home.lake.rows(SFT_ROWS.name, names) if home.lake.exists(SFT_ROWS.name) else ():
        if stored["split"] == split:
            ids = {name: tuple(stored[name]) for name in ("doc_ids", "chunk_ids")}
            found.append(SftRow(**{**stored, **ids, "messages": tuple(json.loads(stored["messages"]))}))
    return sorted(found, key=lambda row: row.answer_id)


def _told(home: Home) -> Iterator[AnswerRecord]:
    ended = (_answers.c.tenant_id == home.tenant_id, _answers.c.state.in_((State.COMPLETE, State.ABSTAINED)))
    asked = select(_answers.c.answer_id).where(*ended).order_by(_answers.c.created_at.desc(), _answers.c.answer_id)
    with home.database.read() as connection:
        ids = connection.execute(asked).scalars().all()
    for answer_id in ids:
        yield read_answer(home.database, home.tenant_id, answer_id)


def _row(home: Home, record: AnswerRecord, thumb: int, barred: Barred, hidden: Hidden) -> SftRow:
    """Raises _LeftOut: nothing may be learned from this answer."""
    if thumb < 0:
        raise _LeftOut("bad_answer")
    if record.provider.partition(" ")[0] not in _OWN:
        raise _LeftOut("provider_forbids")
    if record.state is State.ABSTAINED and thumb == 0:
        raise _LeftOut("abstention_unjudged")
    passages = [
        passage
        for passage in stored_passages(home, [item.chunk_id for item in record.given])
        if not (passage.doc_id in barred.doc_ids or passage.doc_id in hidden.doc_ids)
        and passage.source_id not in hidden.source_ids
    ]
    passages = _shown(passages, {item.passage.chunk_id for item in record.citations}, home.settings.max_passages)
    order = {passage.chunk_id: number for number, passage in enumerate(passages, start=1)}
    cited = {item.passage.doc_id for item in record.citations}
    if cited & barred.doc_ids or plain(record.question) in barred.texts:
        raise _LeftOut("golden")
    if not passages or any(item.passage.chunk_id not in order for item in record.citations):
        raise _LeftOut("passage_gone")
    rests_on = record.citations[0].passage.doc_id if record.citations else passages[0].doc_id
    answer = _answer(record, order)
    if kind := personal_data_in(record.question):
        raise _LeftOut(f"personal_{kind}")
    prompt = render_prompt(record.question, passages, record.language)
    return SftRow(
        record.answer_id,
        record.user_id,
        record.language,
        HELD_OUT if int(short_digest("split", rests_on), 16) % _HELD_OUT_OF == 0 else TRAIN,
        tuple(sorted({passage.doc_id for passage in passages})),
        tuple(order),
        (*prompt.messages, {"role": "assistant", "content": answer}),
    )


def _answer(record: AnswerRecord, order: Mapping[str, int]) -> str:
    """The answer as the rules of the prompt want it: the number of a passage of the prompt behind every sentence."""
    if record.state is State.ABSTAINED:
        return wording(record.language).not_found
    if not record.citations:
        raise _LeftOut("unverified_citations")
    of_prompt = {item.number: order[item.passage.chunk_id] for item in record.citations}
    if record.engine == GENERATIVE:
        return _MARK.sub(lambda mark: f"[{of_prompt[int(mark[1])]}]", record.text)
    if any(item.quote.startswith("…") or item.quote.endswith("…") for item in record.citations):
        raise _LeftOut("cut_quote")
    return "\n".join(_marked(item.quote, of_prompt[item.number]) for item in record.citations)


def _marked(quote: str, number: int) -> str:
    """The number behind every sentence of the quote, each on the line where it stands."""
    ends = [end for _, end in sentence_spans(quote)] or [len(quote)]
    starts = [0, *ends[:-1]]
    return "".join(f"{quote[start:end]} [{number}]" for start, end in zip(starts, ends, strict=True))


def stored_passages(home: Home, chunk_ids: Sequence[str]) -> list[Passage]:
    """In this order, as far as the chunks are still there."""
    rows = home.lake.rows_by_key(CHUNKS.name, _CHUNK, {"chunk_id": list(chunk_ids)})
    found = {row["chunk_id"]: row for row in rows}
    return [_passage(found[chunk_id]) for chunk_id in chunk_ids if chunk_id in found]


def _shown(passages: Sequence[Passage], cited: Set[str], most: int) -> list[Passage]:
    """Those that a model is shown: the best, and all that the answer cites."""
    others = [passage.chunk_id for passage in passages if passage.chunk_id not in cited]
    kept = {*cited, *others[: max(0, most - len(cited))]}
    return [passage for passage in passages if passage.chunk_id in kept]


def _passage(row: Mapping[str, Any]) -> Passage:
    place = Place(row["page"] or 0, row["heading"] or "", row["fragment"] or "")
    ids = (row["chunk_id"], row["doc_id"], row["doc_version"], row["source_id"])
    return Passage(*ids, row["title"] or "", row["url"] or "", place, row["text"])


def _store(home: Home, rows: Sequence[SftRow]) -> None:
    made = [
        {
            "answer_id": row.answer_id,
            "tenant_id": home.tenant_id,
            "user_id": row.user_id,
            "language": row.language,
            "split": row.split,
            "doc_ids": list(row.doc_ids),
            "chunk_ids": list(row.chunk_ids),
            "messages": json.dumps(list(row.messages), ensure_ascii=False),
        }
        for row in rows
    ]
    kept = {row.answer_id for row in rows}
    stored = (
        [row["answer_id"] for row in home.lake.rows(SFT_ROWS.name, ["answer_id"])]
        if home.lake.exists(SFT_ROWS.name)
        else []
    )
    if made:
        home.lake.upsert(SFT_ROWS, made)
    if gone := [answer_id for answer_id in stored if answer_id not in kept]:
        home.lake.delete(SFT_ROWS.name, SFT_ROWS.key, gone)
