"""Fit the confidence on whether the first quote holds the answer: `python -m bench.fit_answer_confidence FOLDER…`.

`bench.fit_confidence` fits the probability that the base holds an answer, from the passages, on labelled sets and
sites. Whether the quote is the right one only sets with expected answers tell. So the log-odds of that model are one
term here, which keeps what sites taught, and the evidence of the quotes are the others. Questions are asked as they
are, with their right documents hidden, and to the other sets. The probability below which lie _UNANSWERED of the
answerable questions is then taken to τ (`core.answer.confidence.lift_to`): sets differ in how often a quote is right,
and a base must not fall silent where its pages are right. Prints AUROC and shares for each set, fitted with it and
without it, and writes the calibration.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from aion_assets.core.answer import confidence
from aion_assets.core.answer.confidence import (
    OF_E5,
    PAGES_OF_E5,
    SURE,
    Calibration,
    Model,
    lift_to,
    sigmoid,
    standardised,
)
from aion_assets.core.answer.evidence import EVIDENCE, evidence_of, quotes_of
from aion_assets.core.answer.quotes import QUOTE_EVIDENCE
from aion_assets.core.answer.sentence_features import Values
from aion_assets.core.ids import short_digest
from aion_assets.core.language.identify import ENGLISH
from aion_assets.core.learn.calibration import reliability_curve
from aion_assets.core.learn.labelled import LabelledQuestion, LabelledSet, load_labelled_set
from aion_assets.core.learn.metrics import auroc, holds_answer
from aion_assets.core.settings import Settings
from bench.evaluate import Bench, open_bench
from bench.fit_confidence import EXPECTED, WEIGHT_OF_A_SET
from bench.ingest import temporary_home
from bench.natural import load_natural_sets, natural_halves

_UNANSWERED = 0.10
# Questions of each kind to a small base of `bench.natural`, which has some of its own without an answer.
_OF_A_BASE = 16
_RIDGE = 20.0
_TAU = float(Settings.model_fields["tau_confidence"].default)


@dataclass(frozen=True, slots=True)
class Asked:
    """`kind` is one of EXPECTED; `right`: whether the first quote holds the answer."""

    kind: str
    evidence: Mapping[str, float]
    language: str
    right: bool


Sets = Mapping[str, Sequence[Asked]]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets with answers, as `aion bench` takes them.")],
    limit: Annotated[int, typer.Option(help="Questions of each kind and set.")] = 400,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    sets = [load_labelled_set(folder, 0) for folder in folders]
    halves, natural = natural_halves(), load_natural_sets()
    asked = {labelled.name: asked_of(labelled, sets, limit, keep) for labelled in sets}
    for name, bases in halves.items():
        asked[name] = [one for base in bases for one in asked_of(base, natural, _OF_A_BASE, keep, near=True)]
    text = files("aion_assets.core.answer").joinpath(PAGES_OF_E5).read_text(encoding="utf-8")
    passages = Calibration.from_json(json.loads(text))
    for name in asked:
        others = {other: some for other, some in asked.items() if other != name}
        for what, some in (("with", asked), ("without", others)):
            typer.echo(f"{name}, fitted {what} it: {_figures(fitted(passages, some, {}), asked[name])}")
    provenance = {
        **passages.fitted_on,
        "answers": {name: len(some) for name, some in asked.items()},
        "answers_digest": short_digest(*(path.read_bytes() for one in (*sets, *natural) for path in one.files)),
    }
    target = Path(confidence.__file__).with_name(OF_E5)
    target.write_text(json.dumps(fitted(passages, asked, provenance).to_json(), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"written to {target}")


def asked_of(
    labelled: LabelledSet, sets: Sequence[LabelledSet], limit: int, keep: Path | None, *, near: bool = False
) -> list[Asked]:
    """`near`: what is absent is asked by questions of its own, which have no answer, instead of hiding documents."""
    chance = random.Random(0)
    with temporary_home(keep=keep / labelled.name if keep else None) as home:
        bench = open_bench(home, labelled)
        queries = [query for query in labelled.queries if query.answerable and query.answers and bench.relevance(query)]
        chance.shuffle(queries)
        queries = queries[:limit]
        judgeable = bench.judgeable(queries)
        others = [one for one in sets if one.name != labelled.name]
        share = max(1, limit // len(others))
        elsewhere = [query for one in others for query in chance.sample(one.queries, min(len(one.queries), share))]
        found = [_one(bench, query, "answerable") for query in queries if query.query_id in judgeable]
        absent = [query for query in labelled.queries if not query.answerable] if near else queries
        found += [_one(bench, query, "absent") for query in absent]
        found += [_one(bench, query, "off_topic") for query in elsewhere]
    typer.echo(f"{labelled.name}: {len(found)} questions")
    return [one for one in found if one.evidence]


def _one(bench: Bench, query: LabelledQuestion, kind: str) -> Asked:
    hidden = list(bench.relevance(query)) if kind == "absent" else ()
    retrieval = bench.retriever.retrieve(query.text, hidden_docs=hidden)
    quotes = quotes_of(retrieval)
    right = kind == "answerable" and bool(quotes) and bool(holds_answer(quotes[0].text, query.answers))
    return Asked(kind, dict(evidence_of(retrieval)), retrieval.language, right)


def fitted(passages: Calibration, asked: Sets, fitted_on: Mapping[str, Any]) -> Calibration:
    """The log-odds of the passages' model, stretched, the evidence of the quotes, weighed, and what English questions
    lack or have beside it: again such a model.
    """
    everything = [(one, weight_of(one, some)) for some in asked.values() for one in some]
    weights = np.array([weight for _, weight in everything])
    truth = np.array([float(one.right) for one, _ in everything])
    raw = np.array([[one.evidence[name] for name in QUOTE_EVIDENCE] for one, _ in everything])
    odds = np.array([_log_odds(passages, one) for one, _ in everything])
    means, scales = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-6)
    english = np.array([float(one.language == ENGLISH) for one, _ in everything])
    columns = np.column_stack([odds, standardised(raw, means, scales), english, np.ones(len(raw))])
    theta = _logistic(columns, truth, weights)
    answerable = np.array([one.kind == "answerable" for one, _ in everything])
    said = columns[answerable] @ theta
    order = np.argsort(said)
    passed = np.cumsum(weights[answerable][order]) / weights[answerable].sum()
    abstains_below = float(sigmoid(said[order][int(np.searchsorted(passed, _UNANSWERED))]))
    models = {
        language: _joined(model, theta, means, scales, language == ENGLISH)
        for language, model in passages.models.items()
    }
    made = Calibration(passages.embedder_id, EVIDENCE, models, (), fitted_on, lift_to(_TAU, round(abstains_below, 4)))
    shown = np.array([made.confidence(one.evidence, one.language) for one, _ in everything])
    return replace(made, reliability=reliability_curve(shown, truth, weights))


def weight_of(one: Asked, some: Sequence[Asked]) -> float:
    return WEIGHT_OF_A_SET * EXPECTED[one.kind] / sum(other.kind == one.kind for other in some)


def _log_odds(passages: Calibration, one: Asked) -> float:
    model = passages.models.get(one.language) or next(iter(passages.models.values()))
    raw = np.array([[one.evidence[name] for name in passages.features]])
    return float((standardised(raw, model.means, model.scales) @ np.array(model.coefficients))[0] + model.intercept)


def _logistic(columns: Values, truth: Values, weights: Values) -> Values:
    """Ridge logistic regression, pulled to the passages' model as it is."""
    from scipy.optimize import minimize

    centre = np.zeros(columns.shape[1])
    centre[0] = 1.0
    pull = np.full(columns.shape[1], _RIDGE)
    pull[-1] = 0.0

    def loss(theta: Values) -> tuple[float, Values]:
        odds, apart = columns @ theta, theta - centre
        value = float((weights * (np.logaddexp(0, odds) - truth * odds)).sum() + (pull * apart**2).sum() / 2)
        return value, columns.T @ (weights * (sigmoid(odds) - truth)) + pull * apart

    found: Values = np.asarray(minimize(loss, centre, jac=True, method="L-BFGS-B").x, dtype=np.float64)
    return found


def _joined(passages: Model, theta: Values, means: Values, scales: Values, is_english: bool) -> Model:
    stretch, move = float(theta[0]), float(theta[-1]) + is_english * float(theta[-2])

    def plain(values: Sequence[float] | Values) -> tuple[float, ...]:
        return tuple(round(float(value), 6) for value in values)

    return Model(
        (*passages.means, *plain(means)),
        (*passages.scales, *plain(scales)),
        (*plain([stretch * value for value in passages.coefficients]), *plain(theta[1:-2])),
        round(stretch * passages.intercept + move, 6),
    )


def _figures(calibration: Calibration, asked: Sequence[Asked]) -> str:
    said: dict[str, list[float]] = {kind: [] for kind in ("right", "wrong", *EXPECTED)}
    for one in asked:
        value = calibration.confidence(one.evidence, one.language)
        said[one.kind].append(value)
        if one.kind == "answerable":
            said["right" if one.right else "wrong"].append(value)
    answerable = said["answerable"]
    given = sum(value >= _TAU for value in said["right"]) / max(1, sum(value >= _TAU for value in answerable))
    figures = {
        "AUROC first quote": auroc(said["right"], said["wrong"]),
        "removed": auroc(answerable, said["absent"]),
        "off topic": auroc(answerable, said["off_topic"]),
        "abstained": sum(value < _TAU for value in answerable) / len(answerable),
        "first quote holds, of given": given,
        "confidently wrong": sum(value >= SURE for value in said["wrong"]) / len(answerable),
    }
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())


if __name__ == "__main__":
    typer.run(main)
