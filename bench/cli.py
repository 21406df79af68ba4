"""`aion bench`: measure retrieval and answers on a labelled set."""

import json as json_module
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aion_assets.local.bars import Draw

Folder = Annotated[Path, typer.Argument(help="Folder with corpus.jsonl, queries.jsonl and qrels.tsv.")]
Limit = Annotated[int, typer.Option(min=0, help="Ask only so many of the questions, chosen at random; 0 asks all.")]
Seed = Annotated[int, typer.Option(help="Of the choice.")]
OffTopic = Annotated[Path | None, typer.Option(help="Another set, whose questions this one cannot answer.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def register(app: typer.Typer) -> None:
    bench = typer.Typer(no_args_is_help=True, help="Measure retrieval and answers on labelled questions.")
    bench.command()(retrieval)
    bench.command()(answers)
    app.add_typer(bench, name="bench")


def retrieval(
    folder: Folder,
    limit: Limit = 0,
    seed: Seed = 0,
    off_topic: OffTopic = None,
    json: Json = False,
) -> None:
    """nDCG@10, MRR@10, recall@10, and how well the confidence tells present answers from absent ones."""
    from bench.evaluate import bench_retrieval

    with _bars() as draw:
        figures = bench_retrieval(folder, limit=limit, seed=seed, off_topic=off_topic, draw=draw)
    _show(figures, json)


def answers(folder: Folder, limit: Limit = 0, seed: Seed = 0, off_topic: OffTopic = None, json: Json = False) -> None:
    """Whether the first quote holds the answer and the confidence knows it, citations, abstentions, token F1."""
    from bench.evaluate import bench_answers

    with _bars() as draw:
        figures = bench_answers(folder, limit=limit, seed=seed, off_topic=off_topic, draw=draw)
    _show(figures, json)


def _bars() -> "AbstractContextManager[Draw]":
    from rich.console import Console

    from aion_assets.local.bars import progress_bars

    return progress_bars(Console(stderr=True))


def _show(figures: dict[str, float | int | str | None], json: bool) -> None:
    if json:
        typer.echo(json_module.dumps(figures, ensure_ascii=False))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        typer.echo(f"{name:<{width}}  {'–' if value is None else value}")
