"""A real site, crawled and asked: does the right page answer?

usage: AION_ALLOW_PRIVATE_NETWORKS=127.0.0.0/8 python -m bench.sites URL QUESTIONS.jsonl [--first N]
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from aion_assets.core.answer.extractive import EXTRACTIVE, answer_question
from aion_assets.core.lake.tables import CHUNKS
from aion_assets.core.learn.labelled import load_site_questions
from bench.evaluate import open_bench
from bench.ingest import temporary_home


def main(
    url: Annotated[str, typer.Argument(help="Where the crawl begins.")],
    questions: Annotated[Path, typer.Argument(help="One {text, pages} a line; none where the site has no answer.")],
    first: Annotated[int, typer.Option(help="Ask only so many.")] = 0,
) -> None:
    labelled = load_site_questions(url, questions)
    asked = labelled.queries[:first] if first else labelled.queries
    names = ("asked", "answered", "first_hit", "right_page", "right_page_offered", "absent", "answered_absent")
    counts = dict.fromkeys(names, 0)
    with temporary_home() as home:
        bench = open_bench(home, labelled)
        for query in asked:
            retrieval = bench.retriever.retrieve(query.text)
            answer = answer_question(retrieval, calibration=bench.calibration, tau=home.home.settings.tau_confidence)
            relevant, given = bench.relevance(query), answer.used == EXTRACTIVE
            shown = [citation.passage.doc_id for citation in answer.citations or answer.nearest]
            right = any(doc_id in relevant for doc_id in shown)
            if query.answerable:
                counts["asked"] += 1
                counts["answered"] += given
                counts["first_hit"] += any(hit.doc_id in relevant for hit in retrieval.hits[:1])
                counts["right_page"] += given and right
                counts["right_page_offered"] += right
            else:
                counts["absent"] += 1
                counts["answered_absent"] += given
            mark = "✓" if (given and right) == query.answerable and given == query.answerable else "✗"
            pages = [citation.passage.url for citation in answer.citations or answer.nearest]
            typer.echo(f"{mark} {answer.used} C={answer.confidence:.2f} {query.text}\n    {pages}")
        chunks = home.lake.count(CHUNKS.name)
    typer.echo(json.dumps({**counts, "chunks": chunks, "ingest_seconds": round(bench.seconds, 1)}))


if __name__ == "__main__":
    typer.run(main)
