"""What people say of an answer and do with it: thumbs, corrections, sources and suggestions that they open."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from aion_assets.core.record.feedback import Feedback, give_feedback, record_click, take_feedback_back
from aion_assets.core.record.suggestions import choose_suggestion, convert_suggestion
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

MAX_COMMENT_CHARS = 4_000

router = APIRouter(tags=["Feedback"])
AnswerId = Annotated[str, Path(description="As `POST /api/chat` returned it.", max_length=64)]
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is no such answer, or it showed no such source."}
}


class Said(BaseModel):
    thumb: Literal["up", "down", ""] = Field("", description="Empty keeps the thumb that was given before.")
    comment: str = Field("", max_length=MAX_COMMENT_CHARS, description="In the reader's words.")
    correction: str = Field("", max_length=MAX_COMMENT_CHARS, description="What the answer should have been.")


class Kept(BaseModel):
    feedback_id: str


class TakenBack(BaseModel):
    taken_back: bool = Field(description="False where nothing was said before.")


class Converted(BaseModel):
    suggestion_id: str = Field(min_length=1, max_length=64, description="The suggestion that was chosen before.")
    value: float = Field(1.0, ge=0, le=1e12, allow_inf_nan=False, description="In whatever unit you count.")


class Opened(BaseModel):
    number: int = Field(ge=1, description="Number of the source that was opened, as the answer shows it.")


@router.post("/api/answers/{answer_id}/feedback", summary="Say what an answer was worth", responses=_UNKNOWN)
def feedback(answer_id: AnswerId, said: Said, assistant: CurrentAssistant) -> Kept:
    """A thumb, a comment or a correction. Saying more later adds to it; saying it anew replaces it."""
    given = Feedback(said.thumb, said.comment, said.correction)
    feedback_id = give_feedback(assistant.home, answer_id, given)
    assistant.telemetry.was_told(said.thumb)
    return Kept(feedback_id=feedback_id)


@router.delete("/api/answers/{answer_id}/feedback", summary="Take it back", responses=_UNKNOWN)
def no_feedback(answer_id: AnswerId, assistant: CurrentAssistant) -> TakenBack:
    """Nothing learns from it any more."""
    return TakenBack(taken_back=take_feedback_back(assistant.home, answer_id))


@router.post(
    "/api/answers/{answer_id}/clicks", summary="Tell that a source was opened", status_code=204, responses=_UNKNOWN
)
def click(answer_id: AnswerId, opened: Opened, assistant: CurrentAssistant) -> Response:
    """The rank at which the source stood is recorded with it, so that the click can be weighed."""
    record_click(assistant.home, answer_id, opened.number)
    assistant.telemetry.clicked()
    return Response(status_code=204)


@router.post(
    "/api/suggestions/{suggestion_id}/click",
    summary="Tell that a suggestion was chosen",
    status_code=204,
    responses=_UNKNOWN,
)
def choose(
    suggestion_id: Annotated[str, Path(description="As the answer named it.", max_length=64)],
    assistant: CurrentAssistant,
) -> Response:
    """Counts once."""
    choose_suggestion(assistant.home, suggestion_id)
    return Response(status_code=204)


@router.post("/api/conversions", summary="Tell what a chosen suggestion led to", status_code=204, responses=_UNKNOWN)
def convert(converted: Converted, assistant: CurrentAssistant) -> Response:
    """A ticket was opened, a form was sent: whatever the action was for. Counts once, and only after a click."""
    convert_suggestion(assistant.home, converted.suggestion_id, converted.value)
    return Response(status_code=204)
