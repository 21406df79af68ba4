"""Routes of the reports that people read: their list, and each as JSON. `/reports` shows them as pages."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from aion_assets.core.errors import AnswerNotFoundError
from aion_assets.core.home import Home
from aion_assets.core.learn.reports import StoredReport, newest_report, reports_for_people
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.middleware.problems import Problem

router = APIRouter(prefix="/api/reports", tags=["Training"])
Kind = Annotated[Literal["day", "release"], Path()]
Subject = Annotated[str, Path(description="A day, such as 2026-11-28, or the id of a release.", max_length=64)]


class ReportItem(BaseModel):
    kind: str
    subject: str
    created_at: datetime
    page: str


class Reports(BaseModel):
    reports: list[ReportItem]


@router.get("", summary="Reports of days and releases")
def listed(assistant: CurrentAssistant) -> Reports:
    """The newest of each day and release, the newest first."""
    found = reports_for_people(assistant.home)
    items = [
        ReportItem(
            kind=item.kind,
            subject=item.subject,
            created_at=item.created_at,
            page=f"/reports/{item.kind}/{item.subject}",
        )
        for item in found
    ]
    return Reports(reports=items)


@router.get("/{kind}/{subject}", summary="One report as JSON", responses={404: {"model": Problem}})
def one(kind: Kind, subject: Subject, assistant: CurrentAssistant) -> dict[str, Any]:
    """Counts and figures, against those of before; never a text."""
    return dict(find_report(assistant.home, kind, subject).body)


def find_report(home: Home, kind: str, subject: str) -> StoredReport:
    """Raises AnswerNotFoundError: there is none."""
    found = newest_report(home, kind, subject)
    if found is None:
        raise AnswerNotFoundError(f"There is no report of {kind} {subject!r}.", "GET /api/reports lists them.")
    return found
