"""Routes of the fast path: the corrections that wait for a curator, the decision, and what an answer cites of one."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from aion_assets.core.answer.extractive import ABSTENTION
from aion_assets.core.learn import curated
from aion_assets.core.record import corrections
from aion_assets.core.record.answers import read_answer
from aion_assets.core.record.corrections import Correction, list_corrections, read_correction
from aion_assets.core.record.passages import shown_at
from aion_serving.api.feedback import MAX_COMMENT_CHARS
from aion_serving.api.replies import CitationReply, browser_link, citation_reply
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

_BY = "api"
_MOST_SOURCES = 8

router = APIRouter(tags=["Corrections"])
CorrectionId = Annotated[str, Path(description="As `GET /curation/corrections` lists it.", max_length=64)]
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such correction, or its answer showed no such source."}
}


class RestsOn(BaseModel):
    """A document on which the correction rests; when it changes or goes, the correction expires."""

    doc_id: str
    title: str
    link: str
    quote: str = Field(description="What the corrected answer quoted of it.")


class CorrectionReply(BaseModel):
    correction_id: str
    state: Literal["pending", "approved", "rejected", "expired"]
    question: str
    text: str = Field(description="What the next same question is answered with.")
    said: str = Field(description="What the person wrote; a curator may have mended it.")
    said_at: datetime
    answer_id: str = Field(description="The answer that was corrected.")
    answer: str = Field(description="Its text.")
    abstained: bool = Field(description="Whether it said that the base does not hold the answer.")
    sources: list[CitationReply] = Field(description="What it showed; approve by their numbers.")
    rests_on: list[RestsOn]
    decided_by: str
    decided_at: datetime | None
    reason: str = Field(description="Of the decision; of an expired one source_changed, source_gone or taken_back.")
    expired_at: datetime | None


class Corrections(BaseModel):
    total: int
    items: list[CorrectionReply]


class Decision(BaseModel):
    action: Literal["approve", "reject"]
    text: str = Field("", max_length=MAX_COMMENT_CHARS, description="The mended text; empty approves what was said.")
    sources: list[int] | None = Field(
        None,
        max_length=_MOST_SOURCES,
        description="Numbers of the answer's sources on which the correction rests; left out, those that it cited.",
    )
    reason: str = Field("", max_length=2_000)


@router.get("/curation/corrections", summary="Corrections that wait, and those that were decided")
def listed(
    assistant: CurrentAssistant,
    state: Annotated[Literal["pending", "approved", "rejected", "expired"], Query()] = "pending",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Corrections:
    """Pending ones by age; others the newest decision first."""
    total, found = list_corrections(assistant.home, state, limit, offset)
    return Corrections(total=total, items=[_reply(assistant, item) for item in found])


@router.post("/curation/corrections/{correction_id}", summary="Approve or reject a correction", responses=_UNKNOWN)
def decide(correction_id: CorrectionId, decision: Decision, assistant: CurrentAssistant) -> CorrectionReply:
    """An approved one answers the next same question at once, in every release, until a document on which it rests
    changes or goes. It becomes a golden question, too, which names these documents.
    """
    state = corrections.APPROVED if decision.action == "approve" else corrections.REJECTED
    made = corrections.Decision(state, _BY, decision.text, decision.sources, decision.reason)
    return _reply(assistant, curated.decide(assistant.home, correction_id, made))


@router.get("/api/corrections/{correction_id}", summary="One correction", responses=_UNKNOWN)
def one(correction_id: CorrectionId, assistant: CurrentAssistant) -> CorrectionReply:
    """Where the first citation of a curated answer leads."""
    return _reply(assistant, read_correction(assistant.home, correction_id))


def _reply(assistant: CurrentAssistant, item: Correction) -> CorrectionReply:
    names = (
        "correction_id", "state", "question", "text", "said", "said_at", "answer_id", "decided_by", "decided_at",
        "reason", "expired_at",
    )  # fmt: skip
    facts: dict[str, Any] = {name: getattr(item, name) for name in names}
    shown = shown_at(assistant.database, item.answer_id, [entry["rank"] for entry in item.rests_on])
    rests_on = [
        RestsOn(
            doc_id=source.passage.doc_id,
            title=source.passage.title,
            link=browser_link(
                source.passage.doc_id, source.passage.url, source.passage.place.page, source.passage.place.fragment
            ),
            quote=source.quote,
        )
        for source in shown
    ]
    corrected = read_answer(assistant.database, assistant.home.tenant_id, item.answer_id)
    sources = [citation_reply(one) for one in (*corrected.citations, *corrected.nearest) if one.passage.doc_id]
    return CorrectionReply(
        **facts, answer=corrected.text, abstained=corrected.used == ABSTENTION, sources=sources, rests_on=rests_on
    )
