"""How true the probability behind the confidence is on sets that it was not fitted on: `python -m bench.reliability`.

    python -m bench.reliability FOLDER… [--passages FOLDER]… [--limit 200] [--keep FOLDER]

For each set both models, that of the passages and that of the quotes, are fitted on the other sets alone, and asked for
the probability that the first quote holds the answer. A set named by --passages serves the passages' model only.
Questions of all other sets are pooled: as they are, with their right documents hidden, and those of other sets. Prints
the calibration error and the reliability curve as JSON. Cases count as often as such questions are asked
(`bench.fit_confidence.EXPECTED`); each set counts as one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.learn.calibration import Case, fit_calibration, reliability_curve
from aion_assets.core.learn.labelled import LabelledSet, load_labelled_set
from bench.evaluate import open_bench
from bench.fit_answer_confidence import Asked, Sets, asked_of, fitted, weight_of
from bench.fit_confidence import EXPECTED, WEIGHT_OF_A_SET, cases_of
from bench.ingest import temporary_home


@dataclass(frozen=True, slots=True)
class Judged:
    """`said` is the probability, `weight` how often such questions are asked."""

    said: float
    right: bool
    weight: float


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets with answers; at least three.")],
    passages: Annotated[
        list[Path] | None, typer.Option(help="A set that only the passages' model learns from.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Questions of each kind and set.")] = 200,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    judgeable, others = ([load_labelled_set(folder, 0) for folder in some] for some in (folders, passages or ()))
    more = [case for labelled in others for case in _of_pages(labelled, judgeable, limit, keep)]
    asked = {labelled.name: asked_of(labelled, [*judgeable, *others], limit, keep) for labelled in judgeable}
    judged = {name: judged_without(name, asked, more) for name in asked}
    everything = [case for some in judged.values() for case in some]
    found: dict[str, Any] = {
        "questions": len(everything),
        "calibration_error": round(calibration_error(everything), 4),
        "of_sets": {name: {"n": len(some), "calibration_error": round(calibration_error(some), 4)}
                    for name, some in judged.items()},
        "curve": [[item.predicted, item.observed, item.n] for item in _curve(everything)],
    }  # fmt: skip
    typer.echo(json.dumps(found, indent=1))


def judged_without(name: str, asked: Sets, more: Sequence[Case] = ()) -> list[Judged]:
    """The cases of a set by models that were fitted on the others, and on `more` cases of passages."""
    others = {other: some for other, some in asked.items() if other != name}
    model = replace(fitted(_passages(others, more), others, {}), lift=())
    return [
        Judged(model.confidence(one.evidence, one.language), one.right, weight_of(one, asked[name]))
        for one in asked[name]
    ]


def calibration_error(cases: Sequence[Judged]) -> float:
    """Naeini et al. 2015, over ten equal intervals."""
    total = sum(case.weight for case in cases)
    weights = np.array([case.weight for case in cases])
    place = np.minimum((np.array([case.said for case in cases]) * 10).astype(int), 9)
    apart = weights * np.array([case.said - case.right for case in cases])
    return float(sum(abs(apart[place == number].sum()) for number in range(10)) / total)


def _curve(cases: Sequence[Judged]) -> Sequence[Any]:
    columns = [np.array([float(value) for value in column]) for column in zip(
        *((case.said, case.right, case.weight) for case in cases), strict=True
    )]  # fmt: skip
    return reliability_curve(*columns)


def _of_pages(labelled: LabelledSet, sets: Sequence[LabelledSet], limit: int, keep: Path | None) -> Iterator[Case]:
    """Cases of a set without expected answers."""
    with temporary_home(keep=keep / labelled.name if keep else None) as home:
        found = cases_of(open_bench(home, labelled), [one for one in sets if one.name != labelled.name], limit)
    for kind, name in (("answerable", "answerable"), ("absent", "removed"), ("off_topic", "off_topic")):
        weight = WEIGHT_OF_A_SET * EXPECTED[kind] / max(1, len(found[name]))
        yield from (replace(case, weight=weight) for case in found[name])


def _passages(asked: Mapping[str, Sequence[Asked]], more: Sequence[Case]) -> Calibration:
    """The probability that the base holds the answer, from these sets alone."""
    cases = [
        Case(one.evidence, one.language, one.kind == "answerable", weight_of(one, some))
        for some in asked.values()
        for one in some
    ]
    return fit_calibration([*cases, *more], embedder_id="", fitted_on={})


if __name__ == "__main__":
    typer.run(main)
