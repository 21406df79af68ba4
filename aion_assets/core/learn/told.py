"""What a report tells of the answers of a period: counts, figures of each for drift, and the reliability curve."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, select

from aion_assets.core.answer.extractive import CURATED
from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.recalibration import PRESENT_SHARE
from aion_assets.core.record.answers import State
from aion_assets.core.search.features import FEATURES

_BINS = 10
# The newest answers of a period; more change no picture.
_MOST_ANSWERS = 5_000
_answers, _feedback = tables.answers, tables.feedback


@dataclass(slots=True)
class Period:
    """`rows` are figures of one answer each, never a text, the newest first; `questions` are those of the rows."""

    counts: Counter[str] = field(default_factory=Counter)
    rows: list[dict[str, Any]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    p50_ms: float = 0.0
    p95_ms: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {**self.counts, "p50_ms": round(self.p50_ms), "p95_ms": round(self.p95_ms)}


def answers_between(home: Home, since: datetime, until: datetime) -> Period:
    return _period(home, _answers.c.created_at >= since, _answers.c.created_at < until)


def answers_of(home: Home, release_id: str) -> Period:
    return _period(home, _answers.c.release_id == release_id)


def reliability(measured: Measured) -> list[dict[str, float]]:
    """Of ten equal intervals of confidence those that hold cases: {said, true, n}, the mean confidence and the share of
    cases that the passages found did answer, weighed as such questions are asked.
    """
    kinds = ((measured.present, 1.0, PRESENT_SHARE), (measured.absent, 0.0, 1 - PRESENT_SHARE))
    cases = [(value, truth, share / len(values)) for values, truth, share in kinds if values for value in values]
    found = []
    for place in range(_BINS):
        inside = [case for case in cases if min(int(case[0] * _BINS), _BINS - 1) == place]
        weight = sum(case[2] for case in inside)
        if inside:
            said = sum(value * share for value, _, share in inside) / weight
            true = sum(truth * share for _, truth, share in inside) / weight
            found.append({"said": round(said, 4), "true": round(true, 4), "n": len(inside)})
    return found


def _period(home: Home, *within: ColumnElement[bool]) -> Period:
    ended = (_answers.c.tenant_id == home.tenant_id, _answers.c.state != State.OPEN, *within)
    names = ("answer_id", "state", "engine", "question", "language", "confidence", "raw_confidence", "features",
             "latency_ms")  # fmt: skip
    asked = select(*(_answers.c[name] for name in names)).where(*ended).order_by(_answers.c.created_at.desc())
    standing = select(_feedback.c.thumb, _feedback.c.correction).join_from(
        _feedback, _answers, _feedback.c.answer_id == _answers.c.answer_id
    )
    with home.database.read() as connection:
        rows = connection.execute(asked.limit(_MOST_ANSWERS)).all()
        said = connection.execute(standing.where(*ended, _feedback.c.withdrawn_at.is_(None))).all()
    found = Period()
    spent = []
    for row in rows:
        found.counts["asked"] += 1
        found.counts[CURATED if row.engine == CURATED else row.state] += 1
        if row.state in (State.COMPLETE, State.ABSTAINED):
            spent.append(float(row.latency_ms.get("total", 0.0)))
            found.rows.append(_figures(row._asdict()))
            found.questions.append(row.question)
    found.counts["thumbs_up"] = sum(row.thumb > 0 for row in said)
    found.counts["thumbs_down"] = sum(row.thumb < 0 for row in said)
    found.counts["corrections"] = sum(bool(row.correction) for row in said)
    if spent:
        found.p50_ms, found.p95_ms = (float(value) for value in np.percentile(spent, [50, 95]))
    return found


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "language": row["language"],
        "outcome": row["state"],
        "words": len(row["question"].split()),
        "confidence": row["confidence"],
        "raw_confidence": row["raw_confidence"],
        **{name: float(row["features"].get(name, 0.0)) for name in FEATURES},
    }
