"""Questions in one language to a base that holds only the other: is the right page found, and is it answered from?

usage: python -m bench.crossed [--floor 18]

The base is AION's manual in one language, and the questions are those of `manual.jsonl` in the other, both ways. Ends
with 1 where fewer first hits than the floor are the right page.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from aion_assets.core.answer.extractive import EXTRACTIVE
from aion_assets.core.learn.labelled import LabelledQuestion, LabelledSet
from bench.evaluate import open_bench
from bench.ingest import temporary_home

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_PAIRS = Path(__file__).with_name("manual.jsonl")
_ASKED_IN = {"pt": "en", "en": "pt"}


def main(
    floor: Annotated[int, typer.Option(help="First hits that must be right, of 20, each way.")] = 18,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    counts = {lang: _count(lang, asked, keep / lang if keep else None) for lang, asked in _ASKED_IN.items()}
    typer.echo(json.dumps(counts))
    raise typer.Exit(int(min(count["found"] for count in counts.values()) < floor))


def _count(lang: str, asked: str, keep: Path | None) -> dict[str, int]:
    """Of the questions in `asked` to the manual in `lang`."""
    counts = dict.fromkeys(("asked", "found", "answered", "answered_from_it", "says_the_language"), 0)
    labelled = _labelled(lang, asked)
    with temporary_home(keep=keep) as home:
        bench = open_bench(home, labelled)
        for question in labelled.queries:
            hits, answer = bench.retriever.search(question.text, 3), bench.answer(question.text)
            right, given = bench.relevance(question), answer.used == EXTRACTIVE
            found = bool(hits) and hits[0].doc_id in right
            counts["asked"] += 1
            counts["found"] += found
            counts["answered"] += given
            counts["answered_from_it"] += given and answer.citations[0].passage.doc_id in right
            counts["says_the_language"] += given and answer.source_language == lang
            pages = [Path(hit.url).name for hit in hits]
            typer.echo(f"{'✓' if found else '✗'} {answer.used} C={answer.confidence:.2f} {question.text}\n    {pages}")
    return counts


def _labelled(lang: str, asked: str) -> LabelledSet:
    folder = _DOCS / lang
    pairs = [json.loads(line) for line in _PAIRS.read_text("utf-8").splitlines()]
    questions = [
        LabelledQuestion(
            text=pair[asked], relevant=dict.fromkeys(pair["pages"], 1), answerable=True, query_id=str(number)
        )
        for number, pair in enumerate(pairs)
    ]
    return LabelledSet(f"manual_{lang}", (str(folder),), questions, (_PAIRS,))


if __name__ == "__main__":
    typer.run(main)
