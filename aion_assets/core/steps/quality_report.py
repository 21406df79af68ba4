"""The report of a day, and that of a release: how well AION did, against before, in figures that a page can tell.

Reports are JSON in the database, without a text of a question, answer or document. The server makes pages of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.language.times import iso_time
from aion_assets.core.learn.daily import Metric, bounds_of, of_golden, read_day
from aion_assets.core.learn.drift import LEAST_ANSWERS, Drift, find_drift
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.reports import CANDIDATE, DAY_REPORT, GOLDEN, RELEASE_REPORT, newest_report, store_report
from aion_assets.core.learn.threshold import Costs, propose_threshold
from aion_assets.core.learn.told import Period, answers_between, answers_of, reliability
from aion_assets.core.learn.unusual import Vectors, how_unusual
from aion_assets.core.release.models import serving_release
from aion_assets.core.release.releases import Release, list_releases, read_release
from aion_assets.core.steps.context import LoadEmbedderOf

# Of each side the newest questions are embedded; more take minutes and change no test.
_MOST_EMBEDDED = 500
# What is compared of the questions' vectors, beside the figures of the answers.
_UNUSUAL = "unusual"
# A day is compared with the week before it.
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class QualityReport:
    report_id: str
    kind: str
    subject: str
    body: Mapping[str, Any]

    def figures(self) -> dict[str, float]:
        """Counts and figures alone, for metadata."""
        measured = {name: item["value"] for name, item in self.body["figures"].items()}
        counts = {f"answers/{name}": count for name, count in self.body["answers"].items()}
        return {**counts, **measured, "drifted": sum(item["is_real"] for item in self.body["drift"])}


def report_day(home: Home, day: date, load: LoadEmbedderOf, run_id: str = "") -> QualityReport:
    """What was answered on the day, its stored figures, and whether that is spread as in the week before."""
    begin, end = bounds_of(home, day)
    period, week = answers_between(home, begin, end), answers_between(home, begin - _WEEK, begin)
    release = serving_release(home)
    body = {
        **_head(home, release),
        **_compared(period, week, _meaning(load, release)),
        "figures": _figures(read_day(home, day)),
        "figures_before": _figures(read_day(home, day - timedelta(days=1))),
        "reliability": reliability(_measured(home, release)),
        "changes": [],
    }
    return _stored(home, DAY_REPORT, day.isoformat(), body, run_id)


def report_release(home: Home, load: LoadEmbedderOf, run_id: str = "") -> QualityReport | None:
    """The same of the release that serves, against the one before it; None before the first release."""
    release = serving_release(home)
    if release is None:
        return None
    before = _before(home, release)
    measured, tau = _measured(home, release), home.settings.tau_confidence
    periods = [answers_of(home, item.release_id) if item else Period() for item in (release, before)]
    body = {
        **_head(home, release),
        **_compared(periods[0], periods[1], _meaning(load, release)),
        "figures": _figures(of_golden(measured, tau)),
        "figures_before": _figures(of_golden(_measured(home, before), tau)),
        "reliability": reliability(measured),
        "changes": _changes(release, before) if before else [],
    }
    return _stored(home, RELEASE_REPORT, release.release_id, body, run_id)


def _head(home: Home, release: Release | None) -> dict[str, Any]:
    made_at = iso_time(now(), home.settings.zone)
    settings, costs = home.settings, Costs(home.settings.cost_fallback, 0.0, home.settings.cost_wrong)
    thresholds = {"ndcg": settings.tau_ndcg, "fallback": settings.tau_fallback, "confidence": settings.tau_confidence}
    proposal = propose_threshold(_measured(home, release), settings.tau_confidence, costs)
    release_id = release.release_id if release else ""
    told = {"thresholds": thresholds, "proposal": asdict(proposal) if proposal else None}
    return {"form": 1, "made_at": made_at, "release_id": release_id, **told}


def _meaning(load: LoadEmbedderOf, release: Release | None) -> Callable[[Sequence[str]], Vectors]:
    """Vectors of questions by the encoder of the release, which is loaded when there are some."""

    def embed(questions: Sequence[str]) -> Vectors:
        assert release is not None, "who answered has released"
        embedder = load(release.models)
        return np.stack([embedder.embed_query(text) for text in questions])

    return embed


def _compared(period: Period, before: Period, embed: Callable[[Sequence[str]], Vectors]) -> dict[str, Any]:
    """Meaning is compared where both sides have enough answers to tell anything."""
    if min(len(period.rows), len(before.rows)) >= LEAST_ANSWERS:
        sides = [side.rows[:_MOST_EMBEDDED] for side in (before, period)]
        vectors = [embed(side.questions[:_MOST_EMBEDDED]) for side in (before, period)]
        told = [
            [{**row, _UNUSUAL: value} for row, value in zip(rows, values, strict=True)]
            for rows, values in zip(sides, how_unusual(*vectors), strict=True)
        ]
        found = find_drift(*told)
    else:
        found = []
    drift = [_drift(item) for item in found]
    return {"answers": period.to_json(), "answers_before": before.to_json(), "drift": drift}


def _drift(item: Drift) -> dict[str, Any]:
    return {**asdict(item), "p": round(item.p, 6), "is_real": item.is_real}


def _figures(metrics: Mapping[str, Metric]) -> dict[str, dict[str, float | None]]:
    return {
        name: {"value": round(item.value, 4), "n": item.n, "low": item.low, "high": item.high}
        for name, item in sorted(metrics.items())
        if item.n
    }


def _measured(home: Home, release: Release | None) -> Measured:
    """On the golden questions, while the release served or as a candidate; nothing where neither was done."""
    if release is None:
        return Measured()
    stored = newest_report(home, GOLDEN, release.release_id)
    if stored is not None:
        return Measured.from_json(stored.body["figures"])
    stored = newest_report(home, CANDIDATE, release.model_release_id)
    return Measured.from_json(stored.body["after"]) if stored is not None and "after" in stored.body else Measured()


def _before(home: Home, release: Release) -> Release | None:
    """The release that was made before it."""
    older = [row for row in list_releases(home.database, home.tenant_id) if row.created_at < release.created_at]
    return read_release(home.database, max(older, key=lambda row: row.created_at).release_id) if older else None


def _changes(release: Release, before: Release) -> list[dict[str, Any]]:
    """{part, before, now} of every part of the manifests that is another; weights and digests are named, not told."""
    parts: Sequence[tuple[str, Any, Any]] = (
        ("passages", before.index["rows"], release.index["rows"]),
        ("embedder", before.models.passage_embedder["id"], release.models.passage_embedder["id"]),
        *(
            (part, getattr(before.models, part), getattr(release.models, part))
            for part in ("query_encoder", "ranker", "calibration", "base_model", "generator_adapter", "prompt")
        ),
    )
    return [{"part": part, "before": _plain(one), "now": _plain(other)} for part, one, other in parts if one != other]


def _plain(value: Any) -> str | int:
    return value if isinstance(value, str | int) else ""


def _stored(home: Home, kind: str, subject: str, body: Mapping[str, Any], run_id: str) -> QualityReport:
    return QualityReport(store_report(home, kind, subject, body, run_id), kind, subject, body)
