"""Routes that tell whether the process is alive, whether it can answer, and how it has been doing."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import BaseModel, Field

from aion_assets.core.learn.kpis import kpis
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

router = APIRouter(tags=["Health"])


class Alive(BaseModel):
    status: str = Field(examples=["alive"])


class Ready(BaseModel):
    status: str = Field(examples=["ready"])
    release_id: str = Field(description="The release that answers now.")
    notice: str = Field("", description="Why it is not the newest: that one cannot be read. Mostly empty.")


@router.get("/health", summary="Is the process alive")
async def health() -> Alive:
    """200 as long as the process is alive; says nothing of the knowledge base."""
    return Alive(status="alive")


@router.get("/ready", summary="Can questions be answered", responses={503: {"model": Problem}})
def ready(assistant: CurrentAssistant) -> Ready:
    """200 when database, release and embedding model are there; 503 with the reason until then."""
    release = assistant.release()
    return Ready(status="ready", release_id=release.release_id, notice=release.instead_of)


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
@router.get("/metrics/prom", include_in_schema=False, response_class=Response)
def metrics(assistant: CurrentAssistant) -> Response:
    """Counters since the process started, latencies by layer, and the release that serves, in Prometheus' text form.

    `deploy/prometheus` holds alert rules and a Grafana board for them.
    """
    return Response(assistant.telemetry.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


@router.get("/api/metrics", summary="Figures of today and yesterday as JSON")
def figures(assistant: CurrentAssistant) -> dict[str, Any]:
    """{release_id, today, yesterday, watch, waiting}: quality, fallbacks, clicks, latency and cost as they were last
    computed, each with its count and interval; why the watch started a learner or not; and what waits for a person.
    """
    return kpis(assistant.home)
