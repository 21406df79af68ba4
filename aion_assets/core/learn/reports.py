"""Reports: what was measured of which subject, when and in which run. Rows are only added."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.home import Home

RETRIEVAL, CANDIDATE, GENERATED, GOLDEN = "retrieval", "candidate", "generated", "golden"
# Reports that people read.
DAY_REPORT, RELEASE_REPORT = "day", "release"
FOR_PEOPLE = (DAY_REPORT, RELEASE_REPORT)
_reports = tables.reports
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class StoredReport:
    report_id: str
    created_at: datetime
    body: Mapping[str, Any]


def store_report(home: Home, kind: str, subject: str, body: Mapping[str, Any], run_id: str = "") -> str:
    """`subject` names what was measured: a table, an adapter, a release. Returns the report's id."""
    report_id = uuid.uuid4().hex
    values = {"report_id": report_id, "tenant_id": home.tenant_id, "kind": kind, "subject": subject, "run_id": run_id}
    here = (_reports.c.tenant_id == home.tenant_id, _reports.c.kind == kind, _reports.c.subject == subject)
    with home.database.write() as connection:
        newest = connection.execute(select(func.max(_reports.c.created_at)).where(*here)).scalar()
        # Later than the one before, whatever the clock did in between: the newest report decides.
        created_at = max(now(), newest + _TICK) if newest else now()
        connection.execute(insert(_reports).values(**values, created_at=created_at, body=dict(body)))
    return report_id


@dataclass(frozen=True, slots=True)
class ListedReport:
    report_id: str
    kind: str
    subject: str
    created_at: datetime


def reports_for_people(home: Home, limit: int = 100) -> list[ListedReport]:
    """Of each day and release the newest report, the newest first."""
    here = (_reports.c.tenant_id == home.tenant_id, _reports.c.kind.in_(FOR_PEOPLE))
    columns = [_reports.c[name] for name in ListedReport.__dataclass_fields__]
    with home.database.read() as connection:
        rows = connection.execute(select(*columns).where(*here).order_by(_reports.c.created_at.desc())).all()
    newest: dict[tuple[str, str], ListedReport] = {}
    for row in rows:
        newest.setdefault((row.kind, row.subject), ListedReport(**row._asdict()))
    return [*newest.values()][:limit]


def newest_report(home: Home, kind: str, subject: str) -> StoredReport | None:
    here = (_reports.c.tenant_id == home.tenant_id, _reports.c.kind == kind, _reports.c.subject == subject)
    asked = select(_reports.c.report_id, _reports.c.created_at, _reports.c.body).where(*here)
    with home.database.read() as connection:
        row = connection.execute(asked.order_by(_reports.c.created_at.desc()).limit(1)).first()
    return StoredReport(row.report_id, row.created_at, row.body) if row else None
