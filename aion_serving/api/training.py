"""Start, watch and cancel the learning. The server writes a request; a sensor of the pipeline picks it up."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from aion_assets.core.learn.training_status import training_status
from aion_assets.core.learn.trainings import ask_to_cancel, request_training
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

router = APIRouter(prefix="/api/ai/train/lora", tags=["Training"])
_BY = "api"
_UNDER_WAY: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "Another training is under way."}}
_NONE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No training is under way."}}


class Start(BaseModel):
    learner: Literal["calibration", "ranker", "retriever_adapter", "generator"] = Field(
        "ranker",
        description="What to train; calibration and ranker are cheap, retriever_adapter is an adapter of the embedding "
        "model, generator one of the base model.",
    )


class Asked(BaseModel):
    training_id: str
    state: str = Field(description="requested until the pipeline picks it up.")


class WatchReply(BaseModel):
    looked_at: datetime | None = Field(description="When the watch over quality decided last.")
    says: str = Field(description="Why it started a learner, or why not.")


class TrainingReply(BaseModel):
    training_id: str
    learner: str
    state: str = Field(description="requested, queued, running, complete, failed or cancelled.")
    outcome: str = Field(description='"", released, blocked, or "no gain".')
    says: str = Field(description="The outcome, or the failure, in a sentence.")
    requested_by: str
    why: str
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    run_id: str = Field(description="The Dagster run.")
    incumbent: str = Field(description="Model release that served when it began.")
    candidate: str = Field(description="Model release that was learned; empty without one.")
    figures: dict[str, Any]


class StatusReply(BaseModel):
    running: bool
    suspended: bool = Field(description="Whether the watch waits for a person, after two trainings without gain.")
    watch: WatchReply
    trainings: list[TrainingReply] = Field(description="The last ones, the newest first.")


@router.post("/start", summary="Start a training", status_code=202, responses=_UNDER_WAY)
def start(assistant: CurrentAssistant, wanted: Start | None = None) -> Asked:
    """One runs at a time: 409 while another one has not ended."""
    asked = request_training(assistant.home, (wanted or Start()).learner, _BY, "Started by hand.")
    return Asked(training_id=asked.training_id, state=asked.state)


@router.get("/status", summary="What is being trained, and what became of the last trainings")
def status(assistant: CurrentAssistant) -> StatusReply:
    return StatusReply.model_validate(training_status(assistant.home).as_dict())


@router.post("/cancel", summary="Cancel the training under way", status_code=202, responses=_NONE)
def cancel(assistant: CurrentAssistant) -> Asked:
    """The trainer is gone within 30 seconds."""
    ended = ask_to_cancel(assistant.home)
    return Asked(training_id=ended.training_id, state=ended.state)
