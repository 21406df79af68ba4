"""Tell people that a part of the pipeline fails: an event, and a POST to the address that they name.

What is told are names and classes of errors. An error's message may hold what a document or a question says.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.language.times import iso_time
from aion_assets.core.record.events import AlarmEvent, RunFailureEvent, record_event
from aion_assets.core.settings import Settings

SENSOR, SCHEDULE, RUN, CHECK = "sensor", "schedule", "run", "check"
_TIMEOUT_S = 5.0
# What a webhook did not take is offered again; of more than so many the oldest are given up.
MOST_WAITING = 50

_events = tables.events
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """`at` is an ISO time in AION_TIMEZONE, `link` a page of the Dagster UI."""

    of: str
    name: str
    failing: bool
    error: str = ""
    run_id: str = ""
    link: str = ""
    at: str = ""

    @property
    def says(self) -> str:
        what = f"{self.of.capitalize()} {self.name}"
        return f"{what} fails{f' ({self.error})' if self.error else ''}." if self.failing else f"{what} is well again."


def run_page(settings: Settings, run_id: str) -> str:
    return f"http://127.0.0.1:{settings.dagster_port}/runs/{run_id}"


def failed_runs(home: Home, after: int | None) -> tuple[int, list[Alarm]]:
    """The runs whose failure was recorded behind event `after`, and the last event; None: from now on."""
    here = (_events.c.tenant_id == home.tenant_id, _events.c.kind == RunFailureEvent.kind)
    columns = (_events.c.event_id, _events.c.body, _events.c.created_at)
    with home.database.read() as connection:
        if after is None:
            return connection.execute(select(func.max(_events.c.event_id)).where(*here)).scalar() or 0, []
        rows = connection.execute(
            select(*columns).where(*here, _events.c.event_id > after).order_by(_events.c.event_id)
        ).all()
    alarms = [
        Alarm(
            RUN,
            row.body["job"],
            True,
            run_id=row.body["run_id"],
            link=run_page(home.settings, row.body["run_id"]),
            at=iso_time(row.created_at, home.settings.zone) or "",
        )
        for row in rows
    ]
    return (rows[-1].event_id if rows else after), alarms


def raise_alarms(home: Home, alarms: Sequence[Alarm], waiting: Sequence[Alarm] = ()) -> list[Alarm]:
    """Record the new ones, and tell them and those that wait to the webhook. Returns what it did not take."""
    at = iso_time(now(), home.settings.zone) or ""
    stamped = [Alarm(**{**asdict(alarm), "at": at}) for alarm in alarms]
    if stamped:
        with home.database.write() as connection:
            for alarm in stamped:
                told = AlarmEvent(alarm.of, alarm.name, alarm.failing, alarm.error, alarm.run_id)
                record_event(connection, home.tenant_id, told)
    left = [*waiting, *stamped][-MOST_WAITING:]
    while left and home.settings.alarm_webhook:
        if not _post(home.settings.alarm_webhook, left[0]):
            return left
        left.pop(0)
    return []


def _post(address: str, alarm: Alarm) -> bool:
    import httpx

    body = {"source": "aion", "text": alarm.says, **asdict(alarm)}
    try:
        # The address is the operator's own, from the environment: it may be of the organisation's network.
        return httpx.post(address, json=body, timeout=_TIMEOUT_S, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _log.warning("The webhook for alarms took nothing: %s", type(error).__name__)
        return False
