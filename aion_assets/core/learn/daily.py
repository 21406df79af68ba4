"""The figures of one day, each with its count and a 95 % interval, made of events, answers and golden questions.

Every run of a day computes them anew, so that late events are absorbed.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Row, delete, insert, select

from aion_assets.core.answer.generative import GENERATIVE
from aion_assets.core.database import learning_tables, tables
from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.learn.evaluate import K
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.metrics import paired_bootstrap
from aion_assets.core.record.answers import State
from aion_assets.core.record.events import ConversionEvent, ImpressionEvent, SuggestionEvent

NDCG, MRR, CANDIDATES, ORACLE = f"ndcg@{K}", f"mrr@{K}", "candidates", f"oracle_ndcg@{K}"
ANSWER_F1, ANSWER_EM = "answer_f1", "answer_em"  # of the first quote, where a correction says what is right
AUROC, ECE, WRONG_ABSTENTIONS = "auroc", "ece", "wrong_abstentions"
FALLBACK, ABSTENTION_RATE, CLICK_RATE, THUMBS_UP = "fallback_rate", "abstention_rate", "click_rate", "thumbs_up"
WRITTEN_BAD = "written_bad"  # of the judgements on answers that a model wrote, those that say bad
# An answer of one of these engines left the house. Own models, workers and the extractive engine do not count.
_EXTERNAL = ("external", "free", "paid")
_Z = 1.96
_answers, _events, _metrics = tables.answers, tables.events, learning_tables.daily_metrics


@dataclass(frozen=True, slots=True)
class Metric:
    """`low` and `high` bound the 95 % interval; None where it has none."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    release_id: str = ""
    computed_at: datetime | None = None


def share(part: int, whole: int) -> Metric:
    """With Wilson's interval (1927), which holds for small counts, too."""
    if whole == 0:
        return Metric(0.0, 0)
    value, square = part / whole, _Z**2
    centre = (value + square / (2 * whole)) / (1 + square / whole)
    half = _Z * math.sqrt(value * (1 - value) / whole + square / (4 * whole**2)) / (1 + square / whole)
    return Metric(value, whole, max(0.0, centre - half), min(1.0, centre + half))


def mean(values: Sequence[float]) -> Metric:
    """With the bootstrap's interval."""
    if not values:
        return Metric(0.0, 0)
    _, low, high = paired_bootstrap([0.0] * len(values), values)
    return Metric(statistics.fmean(values), len(values), low, high)


def measure_day(home: Home, day: date, golden: Measured | None, release_id: str) -> dict[str, Metric]:
    """Compute and store the figures of `day`. `golden`: what the golden questions say today of the release, None for a
    day that is over: its stored figures of them stay.
    """
    found = _of_answers(home, day)
    if golden is not None:
        found |= of_golden(golden, home.settings.tau_confidence)
    stamp = {"tenant_id": home.tenant_id, "day": day.isoformat(), "release_id": release_id, "computed_at": now()}
    rows = [
        {"metric": name, "value": item.value, "n": item.n, "low": item.low, "high": item.high, **stamp}
        for name, item in found.items()
    ]
    here = (_metrics.c.tenant_id == home.tenant_id, _metrics.c.day == day.isoformat())
    with home.database.write() as connection:
        connection.execute(delete(_metrics).where(*here, _metrics.c.metric.in_(list(found))))
        connection.execute(insert(_metrics), rows)
    return found


def read_day(home: Home, day: date) -> dict[str, Metric]:
    here = (_metrics.c.tenant_id == home.tenant_id, _metrics.c.day == day.isoformat())
    columns = [_metrics.c[name] for name in ("metric", *Metric.__dataclass_fields__)]
    with home.database.read() as connection:
        rows = [row._asdict() for row in connection.execute(select(*columns).where(*here))]
    return {row.pop("metric"): Metric(**row) for row in rows}


def of_golden(golden: Measured, tau: float) -> dict[str, Metric]:
    """The figures of golden questions; nothing where there are none."""
    if not golden.ndcg:
        return {}
    found = {NDCG: mean(golden.ndcg), MRR: mean(golden.mrr), CANDIDATES: mean(golden.found)}
    if golden.oracle:
        found[ORACLE] = mean(golden.oracle)
    found[WRONG_ABSTENTIONS] = share(sum(value < tau for value in golden.present), len(golden.present))
    if golden.f1:
        found |= {ANSWER_F1: mean(golden.f1), ANSWER_EM: mean(golden.em)}
    cases = len(golden.present) + len(golden.absent)
    return found | {AUROC: Metric(golden.auroc, cases), ECE: Metric(golden.ece, cases)}


def bounds_of(home: Home, day: date) -> tuple[datetime, datetime]:
    """The first moment of the day, and that of the next, in AION_TIMEZONE."""
    zone = home.settings.zone
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)


def _of_answers(home: Home, day: date) -> dict[str, Metric]:
    begin, end = bounds_of(home, day)
    of_day = (_answers.c.tenant_id == home.tenant_id, _answers.c.created_at >= begin, _answers.c.created_at < end)
    names = ("answer_id", "state", "engine", "confidence", "tau", "latency_ms", "cost")
    happened = (_events.c.tenant_id == home.tenant_id, _events.c.created_at >= begin, _events.c.created_at < end)
    with home.database.read() as connection:
        rows = connection.execute(select(*(_answers.c[name] for name in names)).where(*of_day)).all()
        events = connection.execute(select(_events.c.kind, _events.c.answer_id, _events.c.body).where(*happened)).all()
    given = [row for row in rows if row.state in (State.COMPLETE, State.ABSTAINED)]
    abstained = [row for row in given if row.state == State.ABSTAINED]
    clicked = {row.answer_id for row in events if row.kind == "click"}
    failed = sum(row.state == State.FAILED for row in rows)
    return {
        FALLBACK: share(sum(map(_is_fallback, given)), len(given)),
        ABSTENTION_RATE: share(len(abstained), len(given)),
        "failure_rate": share(failed, len(given) + failed),
        CLICK_RATE: share(len(clicked & {row.answer_id for row in given}), len(given)),
        THUMBS_UP: _thumbs(events),
        WRITTEN_BAD: _written_bad(events, {row.answer_id for row in given if row.engine == GENERATIVE}),
        **_of_suggestions(events),
        "cost": Metric(sum(row.cost for row in given), len(given)),
        **_latencies(given),
    }


def _is_fallback(row: Row[Any]) -> bool:
    """While nothing may leave the house, an abstention below τ counts: that question would have gone out."""
    return row.engine in _EXTERNAL or (row.state == State.ABSTAINED and row.confidence < row.tau)


def _thumbs(events: Iterable[Row[Any]]) -> Metric:
    thumbs = Counter(row.body.get("thumb", 0) for row in events if row.kind == "feedback")
    return share(thumbs[1], thumbs[1] + thumbs[-1])


def _written_bad(events: Iterable[Row[Any]], written: Set[str]) -> Metric:
    of_written = (row for row in events if row.kind == "feedback" and row.answer_id in written)
    thumbs = Counter(row.body.get("thumb", 0) for row in of_written)
    return share(thumbs[-1], thumbs[1] + thumbs[-1])


def _of_suggestions(events: Sequence[Row[Any]]) -> dict[str, Metric]:
    """CTR = clicks / impressions, CR = conversions / clicks, over the suggestions below answers."""
    kinds = Counter(row.kind for row in events)
    shown = sum(len(row.body["suggestion_ids"]) for row in events if row.kind == ImpressionEvent.kind)
    clicks, conversions = kinds[SuggestionEvent.kind], kinds[ConversionEvent.kind]
    # What was shown on one day may be chosen on the next.
    return {"ctr": share(min(clicks, shown), shown), "cr": share(min(conversions, clicks), clicks)}


def _latencies(rows: Iterable[Row[Any]]) -> dict[str, Metric]:
    """p50 and p95 of every layer that an answer names, in milliseconds."""
    layers: dict[str, list[float]] = {}
    for row in rows:
        for layer, spent in _plain(row.latency_ms).items():
            layers.setdefault(layer, []).append(spent)
    return {
        f"latency_{layer}_p{percent}_ms": Metric(float(np.percentile(spent, percent)), len(spent))
        for layer, spent in sorted(layers.items())
        for percent in (50, 95)
    }


def _plain(latency_ms: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in latency_ms.items()}
