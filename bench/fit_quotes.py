"""Fit the choice of the sentence to quote: `python -m bench.fit_quotes FOLDER… [--limit N]`.

Every set with expected answers goes through the real pipeline, and its questions through the real search; the bases of
`bench.natural` count as two sets more. What a person
would mark are the texts of right documents that hold an expected answer. Prints the share of questions whose first
quote holds one: with the hand-set start, fitted with the set, and fitted without it, and writes both models to
`aion_assets/core/answer/`. The embedder of the settings must be the default.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from aion_assets.core.answer import sentence_model
from aion_assets.core.answer.quotes import COMPARED, in_context
from aion_assets.core.answer.sentence_features import (
    QUOTE_FEATURES,
    WORD_FEATURES,
    Values,
    distinct_candidates,
    with_cosines,
)
from aion_assets.core.answer.sentence_model import BUILTIN_QUOTES
from aion_assets.core.ids import short_digest
from aion_assets.core.learn.labelled import LabelledQuestion, LabelledSet, load_labelled_set
from aion_assets.core.learn.metrics import holds_answer
from aion_assets.core.search.hits import Vector
from bench.evaluate import Bench, open_bench
from bench.ingest import temporary_home
from bench.natural import natural_halves

# Where the fit begins and what it is pulled to, by its sharpness. Features that the sets cannot judge keep these: no
# question of theirs names an article, and all their passages are in the question's language.
_START = {
    "passage": 3.0,
    "covered": 1.0,
    "telling": 0.3,
    "introduced": 0.1,
    "language": 0.3,
    "figure": 0.3,
    "time": 0.3,
    "person": 0.3,
    "place": 0.3,
    "reason": 0.3,
    "its_numbers": 0.5,
    "other_numbers": -0.3,
    "steps": 0.7,
}
_SHARPNESS = 3.0
_RIDGE = 50.0
_LEAST_SCALE = 0.2  # a feature that is seldom there would be pulled by almost nothing
_AMONG = 12  # the best by words among which meaning is fitted; more than are compared, so that it sees more wrong ones
_WEIGHT = 300.0  # every set counts as so many questions, however many it has


@dataclass(frozen=True, slots=True)
class Asked:
    """`values` are (n, QUOTE_FEATURES) of the texts that could be quoted, `right` (n,) whether each holds an answer."""

    values: Values
    right: Values
    weight: float

    def words(self) -> Values:
        return self.values[:, : len(WORD_FEATURES)]

    def first_holds(self, words: Values, meaning: Values | None) -> float:
        """As `core.answer.quotes` chooses: by words, and with `meaning` among the best of these."""
        best = np.argsort(-(self.words() @ words), kind="stable")
        if meaning is None or not len(best):
            return float(self.right[best[0]]) if len(best) else 0.0
        compared = best[:COMPARED]
        values = with_cosines(self.words()[compared], self.values[compared, len(WORD_FEATURES)] / 10 + 0.8)
        return float(self.right[compared[int(np.argmax(values @ meaning))]])


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets with answers, as `aion bench` takes them.")],
    limit: Annotated[int, typer.Option(help="Questions of each set.")] = 300,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    sets = [load_labelled_set(folder, limit, 7) for folder in folders]
    halves = natural_halves()
    asked = {labelled.name: _asked(labelled.name, [labelled], keep) for labelled in sets}
    asked |= {name: _asked(name, bases, keep) for name, bases in halves.items()}
    start = _SHARPNESS * np.array([_START.get(name, 0.0) for name in WORD_FEATURES])
    for name, questions in asked.items():
        others = [one for other, some in asked.items() if other != name for one in some]
        everything = [*others, *questions]
        typer.echo(
            f"{name}: start {_holds(questions, start, None):.4f}, "
            f"words with it {_holds(questions, *_fitted(everything)[:1], None):.4f}, "
            f"without it {_holds(questions, *_fitted(others)[:1], None):.4f}, "
            f"meaning with it {_holds(questions, *_fitted(everything)):.4f}, "
            f"without it {_holds(questions, *_fitted(others)):.4f}"
        )
    words, meaning = _fitted([one for some in asked.values() for one in some])
    target = Path(sentence_model.__file__).with_name(BUILTIN_QUOTES)
    written = {
        "words": _named(WORD_FEATURES, words),
        "meaning": _named(QUOTE_FEATURES, meaning),
        "fitted_on": _provenance([*sets, *chain.from_iterable(halves.values())], asked),
    }
    target.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{json.dumps(written)} written to {target}")


def _asked(name: str, bases: Sequence[LabelledSet], keep: Path | None) -> list[Asked]:
    """Of one set, or of several small bases that count as one."""
    found = []
    for labelled in bases:
        with temporary_home(keep=keep / labelled.name if keep else None) as home:
            bench = open_bench(home, labelled)
            judged = [query for query in labelled.queries if query.answerable and query.answers]
            judgeable = bench.judgeable(judged)
            vectors = _Vectors(bench)
            found += [_one(bench, query, vectors) for query in judged if query.query_id in judgeable]
    typer.echo(f"{name}: {len(found)} questions")
    return [Asked(values, right, _WEIGHT / len(found)) for values, right in found]


class _Vectors(dict[str, Vector]):
    """Every text is embedded once: the questions of a set find the same passages."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._embedder = bench.retriever.embedder

    def of(self, texts: Sequence[str]) -> Vector:
        """(n, dimension)"""
        if missing := [text for text in dict.fromkeys(texts) if text not in self]:
            self.update(zip(missing, self._embedder.embed(missing), strict=True))
        return np.stack([self[text] for text in texts])


def _one(bench: Bench, query: LabelledQuestion, vectors: _Vectors) -> tuple[Values, Values]:
    retrieval = bench.retriever.retrieve(query.text)
    texts = distinct_candidates(retrieval.question, retrieval.hits, retrieval.weights)
    if not texts:
        return np.zeros((0, len(QUOTE_FEATURES))), np.zeros(0)
    cosines = (vectors.of([in_context(text) for text in texts]) @ retrieval.query_vector).astype(np.float64)
    values = with_cosines(np.array([text.values for text in texts]), cosines)
    relevant = bench.relevance(query)
    right = [text.hit.doc_id in relevant and holds_answer(text.text, query.answers) for text in texts]
    return values, np.array(right, dtype=np.float64)


def _fitted(asked: Sequence[Asked]) -> tuple[Values, Values]:
    """Weights of the words' features and of all features. The latter are fitted among the best by the former."""
    start = np.array([_START.get(name, 0.0) for name in QUOTE_FEATURES])
    words = _fit([(one.words(), one.right, one.weight) for one in asked], start[: len(WORD_FEATURES)])
    compared = []
    for one in asked:
        best = np.argsort(-(one.words() @ words), kind="stable")[:_AMONG]
        compared.append((one.values[best], one.right[best], one.weight))
    return words, _fit(compared, start)


def _fit(lists: Sequence[tuple[Values, Values, float]], start: Values) -> Values:
    """Minus log-likelihood that a right text is chosen, of the softmax over the texts of each question, and a pull of
    _RIDGE towards the start, per standard deviation of a feature.
    """
    from scipy.optimize import minimize

    usable = [item for item in lists if 0 < item[1].sum() < len(item[1])]
    raw = np.concatenate([values for values, _, _ in usable])
    scale = np.maximum(raw.std(axis=0), _LEAST_SCALE)
    columns, right = raw / scale, np.concatenate([item[1] for item in usable]) > 0
    lengths = np.array([len(item[1]) for item in usable])
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    of_row = np.repeat(np.arange(len(usable)), lengths)
    weights = np.array([weight for _, _, weight in usable])
    centre = _SHARPNESS * start * scale

    def loss(theta: Values) -> tuple[float, Values]:
        scores = columns @ theta
        powers = np.exp(scores - np.maximum.reduceat(scores, begins)[of_row])
        every, good = np.add.reduceat(powers, begins), np.add.reduceat(powers * right, begins) + 1e-12
        value = float((weights * (np.log(every) - np.log(good))).sum())
        gradient = columns.T @ (weights[of_row] * (powers / every[of_row] - powers * right / good[of_row]))
        apart = theta - centre
        return value + _RIDGE * float(apart @ apart) / 2, gradient + _RIDGE * apart

    found: Values = np.asarray(minimize(loss, centre, jac=True, method="L-BFGS-B").x, dtype=np.float64)
    fitted: Values = found / scale
    return fitted


def _holds(asked: Sequence[Asked], words: Values, meaning: Values | None) -> float:
    return statistics.fmean(one.first_holds(words, meaning) for one in asked)


def _named(features: Sequence[str], weights: Values) -> dict[str, float]:
    return {name: round(float(weight), 5) for name, weight in zip(features, weights, strict=True)}


def _provenance(sets: Sequence[LabelledSet], asked: Mapping[str, Sequence[Asked]]) -> dict[str, Any]:
    return {
        "sets": {name: len(questions) for name, questions in asked.items()},
        "digest": short_digest(*(path.read_bytes() for labelled in sets for path in labelled.files)),
    }


if __name__ == "__main__":
    typer.run(main)
