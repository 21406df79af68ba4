"""`aion golden`: the questions that measure, each with the documents that answer it."""

from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from aion_assets.commands.output import AsJson, print_json, print_table, short_id

app = typer.Typer(no_args_is_help=True, help="Golden questions: what the base must find, and who measures it.")
_SPLITS = {"": "not frozen", "apart": "in several splits"}


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, help="A folder in BEIR's form, or a CSV file of text and urls.")],
    json: AsJson = False,
) -> None:
    """Take questions with their right documents; a known question gets the judgement given now."""
    from aion_assets.core.learn.imported import import_golden

    found = import_golden(_home(), path)
    stored, left_out = found.stored, dict(found.left_out)
    if json:
        counts = {"added": stored.added, "changed": stored.changed, "known": stored.known}
        print_json({**counts, "left_out": left_out})
        return
    typer.echo(f"{stored.added} added, {stored.changed} changed, {stored.known} known.")
    for reason, count in sorted(left_out.items()):
        typer.echo(f"{count} left out: {reason.replace('_', ' ')}.")
    if stored.added:
        typer.echo("Freeze them before anything learns: aion golden freeze.")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="Most questions listed.")] = 20, json: AsJson = False
) -> None:
    """How many questions stand in which split, and the first of them."""
    from aion_assets.core.learn.golden import counted_by_split, golden_questions

    home = _home()
    counts, questions = counted_by_split(home), golden_questions(home)
    if json:
        items = [{"query_id": item.query_id, "text": item.text, "urls": list(item.relevant)} for item in questions]
        print_json({"splits": counts, "items": items[:limit]})
        return
    told = ", ".join(f"{count} {_SPLITS.get(split, split)}" for split, count in sorted(counts.items()))
    rows = [(short_id(item.query_id), len(item.relevant), item.text) for item in questions[:limit]]
    empty = "There are no golden questions. Take some in: aion golden import."
    print_table(f"{len(questions)} golden questions: {told}", ("id", "documents", "question"), rows, empty)


@app.command()
def freeze(json: AsJson = False) -> None:
    """Split the new questions by document into train, dev and test; a split is kept for good."""
    from aion_assets.core.learn.golden import counted_by_split
    from aion_assets.core.learn.splits import freeze as freeze_questions

    home = _home()
    given = freeze_questions(home)
    if json:
        print_json({"given": dict(given), "splits": counted_by_split(home)})
        return
    told = ", ".join(f"{count} {_SPLITS.get(split, split)}" for split, count in sorted(given.items()))
    typer.echo(f"Frozen: {told}." if given else "All questions are frozen already.")


@app.command()
def label(
    answer_id: Annotated[
        str, typer.Argument(help="Answer to label, or how its id begins; without it, what to label next.")
    ] = "",
    source: Annotated[
        list[int] | None, typer.Option(help="Number of a right source of the answer; repeatable.")
    ] = None,
    url: Annotated[list[str] | None, typer.Option(help="Address of a right document; repeatable.")] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="No document of the base answers it.")] = False,
    skip: Annotated[bool, typer.Option("--skip", help="Offer this question no more.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Most questions listed.")] = 10,
    json: AsJson = False,
) -> None:
    """Name the right documents of the questions of which AION is least certain."""
    from aion_assets.core.errors import CurationError
    from aion_assets.core.learn.labelling_queue import Label, pass_over
    from aion_assets.core.learn.labelling_queue import label as label_answer
    from aion_assets.core.record.answers import full_answer_id

    home = _home()
    if not answer_id:
        _print_queue(home, limit, json)
        return
    if not (source or url or nothing or skip):
        raise CurationError("Nothing was said of the question.", "Give --source, --url, --nothing or --skip.")
    full, by = full_answer_id(home.database, home.tenant_id, answer_id), f"cli:{getuser()}"
    if skip:
        pass_over(home, full, by)
    else:
        label_answer(home, full, Label(source or (), url or (), by))
    if json:
        print_json({"answer_id": full, "labelled": not skip})
    else:
        typer.echo("It is offered no more." if skip else "It is a golden question now.")


def _print_queue(home: Any, limit: int, json: bool) -> None:
    from aion_assets.core.learn.labelling_queue import labelling_queue

    queue = labelling_queue(home, limit)
    if json:
        names = ("answer_id", "question", "language", "confidence", "tau")
        items = [
            {name: getattr(item, name) for name in names}
            | {"sources": {str(source.number): source.passage.url for source in item.sources}}
            for item in queue
        ]
        print_json({"items": items})
        return
    rows = [
        (
            short_id(item.answer_id),
            f"{item.confidence:.2f}",
            item.question,
            "; ".join(f"{source.number} {source.passage.title}" for source in item.sources),
        )
        for item in queue
    ]
    empty = "Nothing waits for a label: no answer was uncertain and unlabelled."
    print_table("Label these first", ("answer", "C", "question", "sources"), rows, empty, whole=("answer", "C"))


def _home() -> Any:
    from aion_assets.core.home import Home
    from aion_assets.core.settings import load_settings

    return Home(load_settings())
