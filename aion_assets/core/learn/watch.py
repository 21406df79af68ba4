"""What the watch over quality remembers, in one row, and its look: read the figures, decide, note the decision."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from aion_assets.core.database import learning_tables
from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.learn.daily import read_day
from aion_assets.core.learn.quality_drop import Decision, Memory, decide, is_suspended
from aion_assets.core.learn.trainings import last_trainings
from aion_assets.core.release.releases import read_release

_watch = learning_tables.quality_watch
_LOOKED_BACK = 20


def today_of(home: Home) -> date:
    return now().astimezone(home.settings.zone).date()


def remember(home: Home) -> Memory:
    row = _row(home)
    trainings = last_trainings(home, _LOOKED_BACK)
    return Memory(row.alarms, row.resumed_at, trainings) if row else Memory(trainings=trainings)


def last_look(home: Home) -> tuple[datetime | None, str]:
    """When it looked last, and what it said; (None, "") before the first look."""
    row = _row(home)
    return (row.looked_at, row.says) if row else (None, "")


def measured_at(home: Home) -> datetime | None:
    """When the figures of today were computed; None when they were not."""
    moments = [item.computed_at for item in read_day(home, today_of(home)).values() if item.computed_at]
    return max(moments, default=None)


def look(home: Home) -> Decision:
    """Decide on the stored figures of today and yesterday."""
    today = today_of(home)
    figures = read_day(home, today)
    decision = decide(home.settings, figures, read_day(home, today - timedelta(days=1)), remember(home), now())
    _note(home, looked_at=now(), alarms=dict(decision.alarms), says=decision.says)
    return decision


def resume(home: Home) -> bool:
    """Lift a suspension: a person looked. Returns whether there was one."""
    was = is_suspended(remember(home))
    _note(home, resumed_at=now())
    return was


def measured_models(home: Home) -> str:
    """The model release that the figures of today are of, "" when there are none."""
    release_id = next((item.release_id for item in read_day(home, today_of(home)).values() if item.release_id), "")
    return read_release(home.database, release_id).model_release_id if release_id else ""


def _row(home: Home) -> Row[Any] | None:
    with home.database.read() as connection:
        return connection.execute(select(_watch).where(_watch.c.tenant_id == home.tenant_id)).first()


def _note(home: Home, **values: object) -> None:
    with home.database.write() as connection:
        mine = _watch.c.tenant_id == home.tenant_id
        if connection.execute(update(_watch).where(mine).values(**values)).rowcount == 0:
            fresh = {"tenant_id": home.tenant_id, "alarms": {}, "says": ""}
            connection.execute(insert(_watch).values(**{**fresh, **values}))
