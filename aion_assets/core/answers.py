"""The answers as they were given: text, confidence, release, and a snapshot of every passage they showed."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from aion_assets.core import schema
from aion_assets.core.answer.extractive import Answer, Citation
from aion_assets.core.database import Database, as_utc, now
from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.events import ANSWER, MAX_QUESTION_CHARS, RETRIEVAL, record_event
from aion_assets.core.prefixes import full_id
from aion_assets.core.search.hits import Hit, Retrieval

_CITED, _NEAREST = "cited", "nearest"


@dataclass(slots=True)
class ShownPassage:
    """A citation with the passage it was taken from, as both were when the answer was given."""

    number: int
    chunk_id: str
    doc_id: str
    doc_version: str
    source_id: str
    title: str
    url: str
    page: int
    heading: str
    fragment: str
    quote: str
    passage: str


@dataclass(slots=True)
class GivenPassage:
    """A passage that the engine could choose from; its scores are those of the retrieval."""

    chunk_id: str
    doc_id: str
    doc_version: str
    score: float
    dense: float
    lexical: float


@dataclass(slots=True)
class AnswerRecord:
    """`nearest` are what an abstention offered instead of citations; `given` are in the order of the retrieval."""

    answer_id: str
    tenant_id: str
    created_at: datetime
    question: str
    text: str
    used: str
    confidence: float
    tau: float
    language: str
    release_id: str
    latency_ms: float
    citations: list[ShownPassage] = field(default_factory=list)
    nearest: list[ShownPassage] = field(default_factory=list)
    given: list[GivenPassage] = field(default_factory=list)


def record_answer(
    database: Database, tenant_id: str, release_id: str, retrieval: Retrieval, answer: Answer, latency_ms: float
) -> AnswerRecord:
    """Store the answer and its two events in one transaction."""
    hits = {hit.chunk_id: hit for hit in retrieval.hits}
    record = AnswerRecord(
        answer_id=uuid.uuid4().hex,
        tenant_id=tenant_id,
        created_at=now(),
        question=retrieval.question,
        text=answer.text,
        used=answer.used,
        confidence=answer.confidence,
        tau=answer.tau,
        language=answer.language,
        release_id=release_id,
        latency_ms=round(latency_ms, 3),
        citations=[_shown(item, hits[item.chunk_id]) for item in answer.citations],
        nearest=[_shown(item, hits[item.chunk_id]) for item in answer.nearest],
        given=[_given(hit) for hit in retrieval.hits],
    )
    with database.write() as connection:
        connection.execute(insert(schema.answers).values(**_row(record)))
        record_event(connection, tenant_id, RETRIEVAL, _retrieval_event(record, retrieval))
        record_event(connection, tenant_id, ANSWER, _answer_event(record, retrieval))
    return record


def full_answer_id(database: Database, tenant_id: str, given: str) -> str:
    """The id that begins so. Raises PrefixError: the beginning is too short or not of one answer alone."""
    answers = schema.answers
    return full_id(database, answers.c.answer_id, given, answers.c.tenant_id == tenant_id)


def read_answer(database: Database, tenant_id: str, answer_id: str) -> AnswerRecord:
    """Raises AnswerNotFoundError: no answer of the tenant has this id."""
    answers = schema.answers
    with database.read() as connection:
        row = (
            connection.execute(
                select(answers).where(answers.c.answer_id == answer_id, answers.c.tenant_id == tenant_id)
            )
            .mappings()
            .first()
        )
    if row is None:
        raise AnswerNotFoundError(
            f"There is no answer {answer_id!r}.", "Copy the answer_id that 'aion ask' or POST /api/chat returned."
        )
    plain = {name: row[name] for name in row if name not in ("citations", "passages", "created_at")}
    return AnswerRecord(
        **plain,
        created_at=as_utc(row["created_at"]) or now(),
        citations=_passages(row["citations"], _CITED),
        nearest=_passages(row["citations"], _NEAREST),
        given=[GivenPassage(**passage) for passage in row["passages"]],
    )


def _row(record: AnswerRecord) -> dict[str, Any]:
    row = asdict(record)
    row["citations"] = [{"role": _CITED} | item for item in row["citations"]]
    row["citations"] += [{"role": _NEAREST} | item for item in row.pop("nearest")]
    row["passages"] = row.pop("given")
    return row


def _passages(stored: Sequence[dict[str, Any]], role: str) -> list[ShownPassage]:
    return [
        ShownPassage(**{name: value for name, value in item.items() if name != "role"})
        for item in stored
        if item["role"] == role
    ]


def _shown(citation: Citation, hit: Hit) -> ShownPassage:
    return ShownPassage(
        number=citation.number,
        chunk_id=citation.chunk_id,
        doc_id=citation.doc_id,
        doc_version=citation.doc_version,
        source_id=hit.source_id,
        title=citation.title,
        url=citation.url,
        page=citation.page,
        heading=citation.heading,
        fragment=citation.fragment,
        quote=citation.quote,
        passage=hit.text,
    )


def _given(hit: Hit) -> GivenPassage:
    scores = {"score": hit.score, "dense": hit.dense, "lexical": hit.lexical}
    rounded = {name: round(float(value), 4) for name, value in scores.items()}
    return GivenPassage(hit.chunk_id, hit.doc_id, hit.doc_version, **rounded)


def _retrieval_event(record: AnswerRecord, retrieval: Retrieval) -> dict[str, Any]:
    return {
        "answer_id": record.answer_id,
        "release_id": record.release_id,
        "q": record.question[:MAX_QUESTION_CHARS],
        "language": retrieval.language,
        "C": round(record.confidence, 4),
        "raw_C": round(retrieval.raw_confidence, 4),
        "hits": [
            {"rank": rank, "chunk_id": passage.chunk_id, "score": passage.score}
            for rank, passage in enumerate(record.given, start=1)
        ],
        "latency_ms": round(1000 * retrieval.seconds, 3),
    }


def _answer_event(record: AnswerRecord, retrieval: Retrieval) -> dict[str, Any]:
    """Question and reply stand in the answer's own row, where forgetting finds them."""
    retrieval_ms = 1000 * retrieval.seconds
    return {
        "answer_id": record.answer_id,
        "release_id": record.release_id,
        "used": record.used,
        "C": round(record.confidence, 4),
        "tau": record.tau,
        "citations": [item.chunk_id for item in record.citations],
        "latency_ms": {
            "retrieval": round(retrieval_ms, 3),
            "engine": round(record.latency_ms - retrieval_ms, 3),
            "total": record.latency_ms,
        },
    }
