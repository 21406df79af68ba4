"""Fit the confidence of questions in another language than their source.

usage: python -m bench.fit_crossed_confidence FOLDER QUESTIONS OTHER… [--keep PLACE]

FOLDER is a labelled set with answers, QUESTIONS a CSV file with `id_qa` and `question_en_origin`, as Pira has it, and
OTHER are sets in the language of these questions. Words of the question are not in such passages, so the evidence of
words says "not there" of every one. The model fitted here reads the evidence of meaning alone. Its questions are asked
as they are, with their right documents hidden, and those of the others beside them. It joins the stored calibration,
whose other models stay as they are.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from aion_assets.core.answer import confidence
from aion_assets.core.answer.confidence import OF_E5, Calibration, Model, sigmoid, standardised
from aion_assets.core.answer.sentence_features import Values
from aion_assets.core.learn.labelled import load_labelled_set
from aion_assets.core.learn.metrics import auroc
from aion_assets.core.search.ranker import CROSSED
from bench.fit_answer_confidence import Asked, asked_of, weight_of
from bench.fit_ranker import crossed_questions

_READ = ("best_cosine", "cosine_gap", "best_score", "score_margin", "quote_margin", "quote_odds", "quote_cosine")
_RIDGE = 5.0


def main(
    folder: Annotated[Path, typer.Argument(help="A labelled set with answers.")],
    questions: Annotated[Path, typer.Argument(help="Its questions in the other language, a CSV file.")],
    others: Annotated[list[Path], typer.Argument(help="Sets in the language of these questions.")],
    limit: Annotated[int, typer.Option(help="Questions of each kind.")] = 200,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    labelled = crossed_questions(folder, questions)
    asked = asked_of(labelled, [labelled, *(load_labelled_set(other) for other in others)], limit, keep)
    target = Path(confidence.__file__).with_name(OF_E5)
    stored = Calibration.from_json(json.loads(files("aion_assets.core.answer").joinpath(OF_E5).read_text("utf-8")))
    half = len(asked) // 2
    order = np.random.default_rng(0).permutation(len(asked))
    for some, rest in ((order[:half], order[half:]), (order[half:], order[:half])):
        model = fitted(stored.features, [asked[place] for place in some])
        typer.echo(f"of the other half: {_figures(stored, model, [asked[place] for place in rest])}")
    models = {**stored.models, CROSSED: fitted(stored.features, asked)}
    facts = {**stored.fitted_on, CROSSED: {labelled.name: len(asked)}}
    made = replace(stored, models=models, fitted_on=facts)
    target.write_text(json.dumps(made.to_json(), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{dict(zip(stored.features, models[CROSSED].coefficients, strict=True))} written to {target}")


def fitted(features: Sequence[str], asked: Sequence[Asked]) -> Model:
    """Ridge logistic regression of whether the first quote is right, on the evidence of meaning."""
    from scipy.optimize import minimize

    raw = np.array([[one.evidence[name] if name in _READ else 0.0 for name in features] for one in asked])
    means, scales = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-6)
    columns = np.column_stack([standardised(raw, means, scales), np.ones(len(raw))])
    truth = np.array([float(one.right) for one in asked])
    weights = np.array([weight_of(one, asked) for one in asked])
    pull = np.array([*[_RIDGE] * len(features), 0.0])

    def loss(theta: Values) -> tuple[float, Values]:
        odds = columns @ theta
        value = float((weights * (np.logaddexp(0, odds) - truth * odds)).sum() + (pull * theta**2).sum() / 2)
        return value, columns.T @ (weights * (sigmoid(odds) - truth)) + pull * theta

    theta = minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x

    def plain(values: Values) -> tuple[float, ...]:
        return tuple(round(float(value), 6) for value in values)

    return Model(plain(means), plain(scales), plain(theta[:-1]), round(float(theta[-1]), 6))


def _figures(stored: Calibration, model: Model, asked: Sequence[Asked]) -> str:
    made = replace(stored, models={**stored.models, CROSSED: model})
    said: dict[str, list[float]] = {kind: [] for kind in ("right", "wrong", "answerable", "absent", "off_topic")}
    for one in asked:
        value = made.confidence({**one.evidence, CROSSED: 1.0}, one.language)
        said[one.kind].append(value)
        if one.kind == "answerable":
            said["right" if one.right else "wrong"].append(value)
    shown = {name: f"{sum(value >= 0.62 for value in values)} of {len(values)}" for name, values in said.items()}
    figures = {name: auroc(said["answerable"], said[name]) for name in ("absent", "off_topic")}
    figures["first_quote"] = auroc(said["right"], said["wrong"])
    return json.dumps({"shown": shown, "auroc": {name: round(value, 3) for name, value in figures.items()}})


if __name__ == "__main__":
    typer.run(main)
