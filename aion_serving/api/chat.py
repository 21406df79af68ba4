"""Routes to ask, to search, and to see where an answer came from."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from aion_serving.api.replies import AnswerReply, SearchReply, answer_reply, search_reply
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import NOT_BLANK, Problem

MAX_QUESTION_CHARS = 8_000
MAX_HITS = 100

router = APIRouter(tags=["Questions"])


class Question(BaseModel):
    message: str = Field(
        min_length=1,
        max_length=MAX_QUESTION_CHARS,
        pattern=NOT_BLANK,
        description="The question, as a person would put it.",
        examples=["Como aprovo um documento?"],
    )
    conversation_id: str = Field(
        "",
        max_length=32,
        description="Your own id of the conversation. With it, a question may lean on the one before.",
    )


@router.post("/api/chat", summary="Answer a question", responses={503: {"model": Problem}})
def chat(question: Question, assistant: CurrentAssistant) -> AnswerReply:
    """Answers from the current release with citations.

    An abstention is no error: `used` is "abstention", `C` is below `tau`, and `nearest` holds the passages that come
    nearest. The answer is in the language of the question.
    """
    record = assistant.ask(question.message, conversation_id=question.conversation_id)
    return answer_reply(record, assistant.addresses.of_document)


@router.get(
    "/api/answers/{answer_id}/why", summary="Show where an answer came from", responses={404: {"model": Problem}}
)
def why(
    answer_id: Annotated[str, Path(description="As `POST /api/chat` returned it.", max_length=64)],
    assistant: CurrentAssistant,
) -> dict[str, Any]:
    """The way back: answer, release, passages, document and version, who approved it, fetch, and Dagster runs.

    What was removed since is said plainly: such a step has the field `missing` with the reason.
    """
    return assistant.addresses.in_trail(assistant.why(answer_id))


@router.get("/api/search", summary="Search without an answer", responses={503: {"model": Problem}})
def search(
    assistant: CurrentAssistant,
    q: Annotated[
        str, Query(min_length=1, max_length=MAX_QUESTION_CHARS, pattern=NOT_BLANK, description="What to find.")
    ],
    k: Annotated[int, Query(ge=1, le=MAX_HITS, description="Most hits.")] = 8,
) -> SearchReply:
    """The best passage of each of the k best documents, best first."""
    hits = assistant.search(q, k)
    return search_reply(q, hits, assistant.notice, assistant.addresses.of_document)
