"""The figures that a person watches, in one object: today's, yesterday's, what serves, and what waits for somebody."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.language.times import iso_time
from aion_assets.core.learn.daily import Metric, read_day
from aion_assets.core.learn.training_status import training_status
from aion_assets.core.learn.watch import today_of
from aion_assets.core.record.corrections import PENDING, list_corrections
from aion_assets.core.release.releases import current_release_id


def kpis(home: Home) -> dict[str, Any]:
    """{release_id, today, yesterday: {day, figures}, watch, waiting}; figures are {value, n, low, high, …}."""
    today, status = today_of(home), training_status(home)
    return {
        "release_id": current_release_id(home.database, home.tenant_id) or "",
        "today": {"day": today.isoformat(), "figures": _figures(home, read_day(home, today))},
        "yesterday": {
            "day": (today - timedelta(days=1)).isoformat(),
            "figures": _figures(home, read_day(home, today - timedelta(days=1))),
        },
        "watch": {"says": status.watch_says, "suspended": status.suspended},
        "waiting": {"corrections": list_corrections(home, PENDING, limit=0)[0]},
    }


def _figures(home: Home, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    zone = home.settings.zone
    return {
        name: {**asdict(item), "computed_at": iso_time(item.computed_at, zone)}
        for name, item in sorted(metrics.items())
    }
