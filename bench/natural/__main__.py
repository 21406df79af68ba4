"""How natural questions to small bases are answered: `python -m bench.natural [FOLDER]`.

FOLDER holds bases in the form of this one. The quotes and the confidence of the default embedder were fitted on those
that stand here, so other ones tell more.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from aion_assets.core.answer.extractive import EXTRACTIVE
from aion_assets.core.learn.metrics import auroc, holds_answer
from bench.evaluate import Bench, open_bench
from bench.ingest import temporary_home
from bench.natural import load_natural_sets


def main(
    folder: Annotated[Path, typer.Argument(help="Bases with docs and questions.jsonl.")] = Path(__file__).parent,
    show: Annotated[bool, typer.Option(help="Print what was not answered rightly.")] = False,
) -> None:
    counted: Counter[str] = Counter()
    said: dict[str, list[float]] = {"right": [], "wrong": [], "absent": []}
    for labelled in load_natural_sets(folder):
        with temporary_home() as home:
            _ask(open_bench(home, labelled), counted, said, show)
    figures = {
        **counted,
        "auroc_first_quote": auroc(said["right"], said["wrong"]),
        "auroc_absent": auroc(said["right"] + said["wrong"], said["absent"]),
    }
    typer.echo(json.dumps(figures))


def _ask(bench: Bench, counted: Counter[str], said: dict[str, list[float]], show: bool) -> None:
    for question in bench.labelled.queries:
        answer = bench.answer(question.text)
        given = answer.used == EXTRACTIVE
        cited = answer.citations if given else answer.nearest
        holds = bool(cited) and bool(question.answers) and bool(holds_answer(cited[0].quote, question.answers))
        kind = "absent" if not question.answerable else "right" if holds else "wrong"
        said[kind].append(answer.confidence)
        outcome = f"{kind}_{'given' if given else 'withheld'}"
        counted[outcome] += 1
        if show and outcome not in ("right_given", "absent_withheld"):
            quote = " ".join(cited[0].quote.split()) if cited else ""
            typer.echo(f"{outcome} C={answer.confidence:.2f} {question.text}\n    {quote[:200]}")


if __name__ == "__main__":
    typer.run(main)
