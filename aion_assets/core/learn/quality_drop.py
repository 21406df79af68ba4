"""Whether quality dropped so far that a learner should start, which one, and why, or why not.

Today and yesterday are looked at together. An alarm that began ends only when the figure is clearly back, so that one
around the threshold does not start and stop it. Every decision is told in a sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aion_assets.core.learn import daily
from aion_assets.core.learn.daily import Metric
from aion_assets.core.learn.trainings import CALIBRATION, GENERATOR, RANKER, RETRIEVER_ADAPTER, WATCH, Training
from aion_assets.core.settings import Settings

# How far beyond its threshold a figure must come back before its alarm ends.
_MARGIN = {daily.NDCG: 0.01, daily.FALLBACK: 0.02, daily.WRITTEN_BAD: 0.05}
# After so many runs of its own without gain the watch waits for a person.
_MOST_WITHOUT_GAIN = 2


@dataclass(frozen=True, slots=True)
class Memory:
    """What the watch knows from before. `trainings` are the last ones, the newest first."""

    alarms: Mapping[str, str] = field(default_factory=dict)
    resumed_at: datetime | None = None
    trainings: Sequence[Training] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`learner` is "" where nothing starts. `alarms`: metric → since when it counts as dropped."""

    learner: str
    says: str
    alarms: Mapping[str, str]


def decide(settings: Settings, today: Mapping[str, Metric], yesterday: Mapping[str, Metric], memory: Memory,
           at: datetime) -> Decision:  # fmt: skip
    """Pure: everything it depends on is given."""
    fallback = _pooled(today.get(daily.FALLBACK), yesterday.get(daily.FALLBACK))
    # A golden figure is of the release that serves; the one of yesterday may be of another.
    ndcg = today.get(daily.NDCG) or yesterday.get(daily.NDCG)
    alarms, told = dict(memory.alarms), []
    told.append(_watch_fallback(settings, fallback, alarms, at))
    told.append(_watch_ndcg(settings, ndcg, alarms, at))
    written = _pooled(today.get(daily.WRITTEN_BAD), yesterday.get(daily.WRITTEN_BAD))
    if settings.base_model:
        told.append(_watch_written(settings, written, alarms, at))
    figures = " ".join(told)
    if not alarms:
        return Decision("", f"Nothing dropped. {figures}", alarms)
    if (reason := held_back(settings, memory, at)) != "":
        return Decision("", f"{reason} {figures}", alarms)
    learner, why = pick_learner(alarms, {**yesterday, **today}, _own_trainings(memory))
    return Decision(learner, f"{figures} {why}", alarms)


def held_back(settings: Settings, memory: Memory, at: datetime) -> str:
    """Why no learner may start now, "" when one may."""
    if not settings.learn_automatically:
        return "Learners start only by hand: AION_LEARN_AUTOMATICALLY is off."
    active = next((item for item in memory.trainings if item.is_active), None)
    if active is not None:
        return f"Training {active.training_id[:12]} is {active.state}."
    if is_suspended(memory):
        return (
            f"Suspended: {_MOST_WITHOUT_GAIN} trainings in a row gained nothing. Look at their reports, then run "
            "'aion train resume'."
        )
    last = next((item.ended_at for item in memory.trainings if item.ended_at), None)
    rested_at = last + timedelta(seconds=settings.learn_pause_s) if last else at
    return f"Resting until {rested_at:%Y-%m-%d %H:%M} UTC after the last training." if rested_at > at else ""


def is_suspended(memory: Memory) -> bool:
    newest = _own_trainings(memory)[:_MOST_WITHOUT_GAIN]
    return len(newest) == _MOST_WITHOUT_GAIN and all(item.gained_nothing for item in newest)


def _own_trainings(memory: Memory) -> list[Training]:
    """Those that the watch itself asked for since a person looked, and that were decided, the newest first."""
    return [
        item
        for item in memory.trainings
        if item.requested_by == WATCH
        and item.outcome
        and (memory.resumed_at is None or item.requested_at > memory.resumed_at)
    ]


def pick_learner(
    alarms: Mapping[str, str], figures: Mapping[str, Metric], tried: Sequence[Training] = ()
) -> tuple[str, str]:
    """The cheapest learner that mends what fell, and why this one. `tried`: its own trainings, the newest first."""

    def value(name: str, otherwise: float) -> float:
        return figures[name].value if name in figures else otherwise

    if daily.NDCG not in alarms and daily.WRITTEN_BAD in alarms:
        return GENERATOR, f"Answers are bad though the right passages are found. Learner: {GENERATOR}."
    if daily.NDCG not in alarms:
        wanted, why = CALIBRATION, "Answers are refused too often, so the confidence should be fitted again."
    else:
        # Days that were measured without the oracle have the candidates, and no order finds more than they hold.
        oracle = value(daily.ORACLE, value(daily.CANDIDATES, 1.0))
        misordered, unfound = oracle - value(daily.NDCG, 0.0), 1 - oracle
        if tried and tried[0].learner == RANKER and tried[0].gained_nothing:
            wanted, why = RETRIEVER_ADAPTER, "Weighing the order anew gained nothing, so better vectors are next."
        elif misordered >= unfound:
            wanted, why = RANKER, f"One score alone often puts the right page first ({oracle:.4f}): their mix is wrong."
        else:
            wanted = RETRIEVER_ADAPTER
            why = f"No score puts the right page first often enough ({oracle:.4f}), so better vectors are needed."
    return wanted, f"{why} Learner: {wanted}."


def _watch_fallback(settings: Settings, metric: Metric, alarms: dict[str, str], at: datetime) -> str:
    if metric.n < settings.learn_min_answers:
        return f"Fallback rate: {metric.n} answers, {settings.learn_min_answers} are needed."
    threshold = settings.tau_fallback
    _alarm(alarms, daily.FALLBACK, metric.value - threshold, at)
    return f"Fallback rate {metric.value:.3f} of {metric.n} answers (threshold {threshold})."


def _watch_ndcg(settings: Settings, metric: Metric | None, alarms: dict[str, str], at: datetime) -> str:
    count = metric.n if metric else 0
    if metric is None or count < settings.learn_min_golden:
        return f"nDCG: {count} golden questions, {settings.learn_min_golden} are needed."
    threshold = settings.tau_ndcg
    _alarm(alarms, daily.NDCG, threshold - metric.value, at)
    return f"nDCG {metric.value:.4f} on {count} golden questions (threshold {threshold})."


def _watch_written(settings: Settings, metric: Metric, alarms: dict[str, str], at: datetime) -> str:
    if metric.n < settings.learn_min_judged:
        return f"Written answers: {metric.n} judgements, {settings.learn_min_judged} are needed."
    _alarm(alarms, daily.WRITTEN_BAD, metric.value - settings.tau_bad, at)
    return f"Of {metric.n} judgements on written answers {metric.value:.3f} say bad (threshold {settings.tau_bad})."


def _alarm(alarms: dict[str, str], name: str, beyond: float, at: datetime) -> None:
    """`beyond`: how far the figure is on the wrong side of its threshold."""
    if beyond > 0:
        alarms.setdefault(name, at.isoformat())
    elif beyond <= -_MARGIN[name]:
        alarms.pop(name, None)


def _pooled(today: Metric | None, yesterday: Metric | None) -> Metric:
    """Both days as one, by their counts."""
    days = [item for item in (today, yesterday) if item is not None and item.n]
    count = sum(item.n for item in days)
    return Metric(sum(item.value * item.n for item in days) / count, count) if count else Metric(0.0, 0)
