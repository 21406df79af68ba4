"""`POST /api/ai/chat`: a question with its own threshold, or past the models of one's own, for developers."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aion_assets.core.record.answers import AnswerRecord
from aion_serving.api.chat import MAX_QUESTION_CHARS
from aion_serving.api.replies import CitationReply, answer_reply
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import NOT_BLANK, Problem

router = APIRouter(tags=["Questions"])


class AiQuestion(BaseModel):
    message: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION_CHARS, pattern=NOT_BLANK)]
    force_fallback: bool = Field(
        False, alias="forceFallback", description="Leave out the models of one's own, whatever C is."
    )
    tau: float | None = Field(
        None, ge=0, le=1, description="Threshold for this question; that of the settings without."
    )


class AiReply(BaseModel):
    """`used` says who answered, `reason` why those before did not."""

    text: str
    used: str
    C: float
    tau: float
    citations: list[CitationReply]
    answer_id: str
    reason: str


@router.post("/api/ai/chat", summary="Answer with a threshold of one's own", responses={503: {"model": Problem}})
def ai_chat(asked: AiQuestion, assistant: CurrentAssistant) -> AiReply:
    """As `POST /api/chat`, and recorded like it."""
    opened = assistant.open(asked.message)
    opened.tau, opened.without_own_models = asked.tau, asked.force_fallback
    *_, record = assistant.write(opened)
    assert isinstance(record, AnswerRecord)
    reply = answer_reply(record, assistant.addresses.of_document).model_dump()
    return AiReply(**{name: reply[name] for name in AiReply.model_fields})
