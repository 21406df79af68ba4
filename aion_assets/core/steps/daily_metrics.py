"""Compute the figures of a day."""

from dataclasses import dataclass
from datetime import date

from aion_assets.core.home import Home
from aion_assets.core.ids import short_digest
from aion_assets.core.learn.daily import Metric, measure_day
from aion_assets.core.learn.watch import today_of
from aion_assets.core.steps.context import LoadEmbedderOf
from aion_assets.core.steps.golden_figures import golden_figures
from aion_assets.core.steps.report import ShowProgress, silent


@dataclass(frozen=True, slots=True)
class DayReport:
    day: date
    release_id: str
    metrics: dict[str, Metric]

    @property
    def digest(self) -> str:
        told = sorted((name, round(item.value, 6), item.n) for name, item in self.metrics.items())
        return short_digest(self.day.isoformat(), self.release_id, str(told))


def measure_daily(
    home: Home, day: date, load: LoadEmbedderOf, run_id: str = "", show: ShowProgress = silent
) -> DayReport:
    """Golden questions are measured for today only: no release of another day serves any more."""
    if day != today_of(home):
        return DayReport(day, "", measure_day(home, day, None, ""))
    golden, release = golden_figures(home, load, run_id, show)
    release_id = release.release_id if release else ""
    return DayReport(day, release_id, measure_day(home, day, golden, release_id))
