"""Routes to label the questions of which AION is least certain."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from aion_assets.core.learn.labelling_queue import Label, label, labelling_queue, pass_over
from aion_serving.api.replies import CitationReply, citation_reply
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

_BY = "api"
_MOST_DOCUMENTS = 50

router = APIRouter(prefix="/api/labelling", tags=["Training"])
AnswerId = Annotated[str, Path(description="As the queue lists it.", max_length=64)]
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such answer, or it showed no such source."}
}


class QueueItem(BaseModel):
    answer_id: str
    question: str
    language: str
    C: float
    tau: float
    sources: list[CitationReply] = Field(description="What the answer showed; label by their numbers.")


class Queue(BaseModel):
    items: list[QueueItem]


class Labelled(BaseModel):
    sources: list[int] = Field([], max_length=_MOST_DOCUMENTS, description="Numbers of the right sources.")
    urls: list[str] = Field([], max_length=_MOST_DOCUMENTS, description="Addresses of other right documents.")


class Golden(BaseModel):
    question: str
    urls: list[str] = Field(description="The documents that answer it; empty: the base does not hold the answer.")


@router.get("", summary="Questions to label first")
def queue(assistant: CurrentAssistant, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Queue:
    """By rising distance of C to the threshold, each question once."""
    items = [
        QueueItem(
            answer_id=item.answer_id,
            question=item.question,
            language=item.language,
            C=item.confidence,
            tau=item.tau,
            sources=[citation_reply(source, assistant.addresses.of_document) for source in item.sources],
        )
        for item in labelling_queue(assistant.home, limit)
    ]
    return Queue(items=items)


@router.post("/{answer_id}", summary="Name the right documents of a question", responses=_UNKNOWN)
def labelled(answer_id: AnswerId, given: Labelled, assistant: CurrentAssistant) -> Golden:
    """It becomes a golden question. Neither sources nor urls: no document of the base answers it."""
    addresses = assistant.addresses
    urls = [addresses.as_collected(url) for url in given.urls]
    golden = label(assistant.home, answer_id, Label(given.sources, urls, _BY))
    return Golden(question=golden.text, urls=[addresses.of_any(url) for url in golden.relevant])


@router.delete("/{answer_id}", summary="Offer a question no more", status_code=204, responses=_UNKNOWN)
def passed_over(answer_id: AnswerId, assistant: CurrentAssistant) -> Response:
    pass_over(assistant.home, answer_id, _BY)
    return Response(status_code=204)
