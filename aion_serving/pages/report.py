"""A report as a page of its own: its first screen says in sentences how it went, and nothing comes from outside."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aion_serving.pages.report_wording import REPORT_WORDING

# A figure of the search that fell by more is told, and a certainty that is so far from the truth.
_FELL, _UNTRUE = 0.01, 0.15
_MORE_ABSTAINED = 0.05
# Another threshold is proposed when it costs so much less.
_CHEAPER = 0.05
# A point of the curve on fewer cases is chance.
_LEAST_CASES = 10
_SEARCH = ("ndcg@10", "mrr@10", "candidates", "auroc", "ece", "wrong_abstentions", "answer_f1",
           "answer_em")  # fmt: skip
_COUNTS = ("complete", "curated", "abstained", "cancelled", "failed", "thumbs_up", "thumbs_down", "corrections",
           "p50_ms", "p95_ms")  # fmt: skip
# Of the curve, in the units of its drawing.
_SIDE, _MARGIN = 260, 34


def report_view(kind: str, subject: str, body: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What the template shows."""
    t = REPORT_WORDING[language]
    answers, before = body["answers"], body["answers_before"]
    worries = [*_worries(body, t)]
    asked = answers.get("asked", 0)
    level = "attention" if worries else "good" if asked or body["figures"] else "unknown"
    judged = answers.get("thumbs_up", 0) + answers.get("thumbs_down", 0)
    return {
        "t": t,
        "title": str(t[f"title_{kind}"]).format(subject=subject if kind == "day" else subject[:12]),
        "made": str(t["made"]).format(at=body["made_at"], before=t[f"before_{kind}"]),
        "level": level,
        "worries": worries,
        "tiles": [
            (asked, t["asked"], before.get("asked", 0)),
            (_percent(_answered(answers), asked), t["answered"], _percent(_answered(before), before.get("asked", 0))),
            (_percent(answers.get("abstained", 0), asked), t["abstained"],
             _percent(before.get("abstained", 0), before.get("asked", 0))),
            (_percent(answers.get("thumbs_up", 0), judged) if judged else "–",
             t["liked"] if judged else t["nobody_judged"], ""),
        ],
        "search": _table(body, _SEARCH, t),
        "other": _table(body, [name for name in body["figures"] if name not in _SEARCH], t),
        "counts": [(_name(name, t), answers.get(name, 0), before.get(name, 0)) for name in _COUNTS],
        "curve": _curve(body["reliability"]),
        "side": _SIDE,
        "margin": _MARGIN,
        "drift": [{**item, "name": _name(item["name"], t), "p": _number(item["p"], t)} for item in body["drift"]],
        "changes": [{**item, "part": _name(item["part"], t)} for item in body["changes"]],
    }  # fmt: skip


def policy_of(style: str) -> str:
    """The Content-Security-Policy of a page that holds just this style sheet."""
    seal = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{seal}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _worries(body: Mapping[str, Any], t: Mapping[str, Any]) -> Iterator[str]:
    """What a person should look at, in sentences."""
    answers, before = body["answers"], body["answers_before"]
    figures, figures_before = body["figures"], body["figures_before"]
    if answers.get("failed", 0):
        yield t["failed"].format(n=answers["failed"])
    up, down = answers.get("thumbs_up", 0), answers.get("thumbs_down", 0)
    if down > up:
        yield t["disliked"].format(up=up, down=down)
    shares = [part.get("abstained", 0) / part["asked"] if part.get("asked") else None for part in (answers, before)]
    if shares[0] is not None and shares[1] is not None and shares[0] > shares[1] + _MORE_ABSTAINED:
        yield t["more_abstained"].format(now=round(100 * shares[0]), before=round(100 * shares[1]))
    order, older = figures.get("ndcg@10"), figures_before.get("ndcg@10")
    if order and order["value"] < body["thresholds"]["ndcg"]:
        told = {"value": _number(order["value"], t), "limit": _number(body["thresholds"]["ndcg"], t)}
        yield t["order_low"].format(**told, n=order["n"])
    elif order and older and order["value"] < older["value"] - _FELL:
        told = {"value": _number(order["value"], t), "before": _number(older["value"], t)}
        yield t["order_fell"].format(**told, n=order["n"])
    points = [point for point in body["reliability"] if point["n"] >= _LEAST_CASES]
    worst = max(points, key=lambda point: abs(point["said"] - point["true"]), default=None)
    if worst and abs(worst["said"] - worst["true"]) > _UNTRUE:
        yield t["untrue"].format(said=round(100 * worst["said"]), true=round(100 * worst["true"]))
    proposal = body.get("proposal")
    if proposal and proposal["cost"] < (1 - _CHEAPER) * proposal["cost_now"]:
        told = {"tau": _number(proposal["tau"], t), "now": _number(body["thresholds"]["confidence"], t)}
        yield t["cheaper"].format(**told, share=round(100 * (1 - proposal["cost"] / proposal["cost_now"])))
    drifted = [_name(item["name"], t) for item in body["drift"] if item["is_real"]]
    if drifted:
        yield t["drifted"].format(names=", ".join(drifted))


def _answered(counts: Mapping[str, int]) -> int:
    return counts.get("complete", 0) + counts.get("curated", 0)


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else "–"


def _table(body: Mapping[str, Any], names: Sequence[str], t: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Rows of name, value, value before, interval and cases, for the figures that there are."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        item, before = body["figures"].get(name), body["figures_before"].get(name)
        if item is None:
            continue
        ends = [item["low"], item["high"]]
        interval = " – ".join(_number(end, t) for end in ends) if None not in ends else ""
        rows.append(
            (_name(name, t), _number(item["value"], t), _number(before["value"], t) if before else "", interval,
             str(item["n"]))
        )  # fmt: skip
    return rows


def _name(name: str, t: Mapping[str, Any]) -> str:
    known = t["names"].get(name) or t.get("failed_count" if name == "failed" else name)
    return str(known) if known else name.replace("_", " ")


def _number(value: float, t: Mapping[str, Any]) -> str:
    return f"{value:.3f}".replace(".", t["decimal"])


def _curve(points: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    """Places of the points in the drawing, with their radius by the number of cases."""
    inner = _SIDE - 2 * _MARGIN
    return [
        {
            "x": round(_MARGIN + point["said"] * inner, 1),
            "y": round(_SIDE - _MARGIN - point["true"] * inner, 1),
            "r": 4 if point["n"] < _LEAST_CASES else 7,
            **point,
        }
        for point in points
    ]
