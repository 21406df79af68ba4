"""Fit the built-in ranker: `python -m bench.fit_ranker FOLDER… [--site URL=QUESTIONS]… [--crossed FOLDER=CSV]…`.

Every set goes through the real pipeline, and its questions through the real search. Sets share no document, so a fit
without a set is measured on documents that it does not know. Prints nDCG@10 of each set before, fitted with it, and
fitted without it, and writes the ranker of the settings' embedder beside `core/search/ranker.py`.
"""

import csv
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from aion_assets.core.ids import short_digest
from aion_assets.core.language.question import Question
from aion_assets.core.learn.labelled import LabelledQuestion, LabelledSet, load_labelled_set, load_site_questions
from aion_assets.core.learn.metrics import ndcg_at_k
from aion_assets.core.learn.ranking import RankedList, fit_ranker, list_of
from aion_assets.core.search import ranker as ranker_module
from aion_assets.core.search.hits import Hit
from aion_assets.core.search.ranker import BUILTIN_E5, CROSSED, Ranker
from aion_assets.core.search.selection import best_per_document
from bench.evaluate import open_bench
from bench.ingest import temporary_home

# Where the fit begins and what it is pulled to. Features that the sets cannot judge keep these shares: headings and the
# language of a passage count in a base of many pages, not in one of loose passages.
_PRIOR = {
    "dense": 0.58,
    "own_full_text": 0.1,
    "coverage": 0.1,
    "headed": 0.07,
    "pairs": 0.07,
    "language": 0.03,
    "sections": 0.08,
}
# Chosen on `bench.crossed` and on Pira asked in English (docs/experiments.md, ranker).
_PRIOR_CROSSED = {"dense": 0.74, "coverage": 0.15, "pairs": 0.09, "sections": 0.02}
# Cosines of e5 lie between .7 and .9 whatever is asked.
_DENSE_FLOOR = 0.7
# With less, "headed" falls to 0 on sets without titles, and questions in keywords to English abstracts find less.
_RIDGE = 40.0
# Every set counts as so many questions, however many it has.
_WEIGHT, _WEIGHT_OF_A_SITE, _WEIGHT_CROSSED = 300.0, 150.0, 100.0
_ROUNDS = 2  # the best passage of a document depends on the ranker
_K = 10

Pairs = list[tuple[str, str]]


@dataclass(slots=True)
class Judged:
    """A set with what was found for each of its questions, whose `relevant` are document ids."""

    labelled: LabelledSet
    weight: float
    found: list[tuple[LabelledQuestion, list[Hit]]]

    def lists(self, ranker: Ranker) -> list[RankedList]:
        made = [list_of(question, hits, ranker, _document) for question, hits in self.found]
        return [replace(item, weight=self.weight / len(made)) for item in made]

    def ndcg(self, ranker: Ranker) -> float:
        ranked = (
            (question, ranker.ranked(hits, Question.read(question.text).language)) for question, hits in self.found
        )
        documents = ((question, [hit.doc_id for hit in best_per_document(hits)]) for question, hits in ranked)
        return statistics.fmean(ndcg_at_k(found, question.relevant, _K) for question, found in documents)


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, as `aion bench` takes them.")],
    site: Annotated[list[str] | None, typer.Option(help="ADDRESS=QUESTIONS.jsonl of a site; may be repeated.")] = None,
    crossed: Annotated[
        list[str] | None, typer.Option(help="FOLDER=FILE.csv: English questions to a Portuguese set, as Pira has them.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Questions of each set.")] = 600,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    sets: list[tuple[LabelledSet, float]] = [(load_labelled_set(folder, limit, 7), _WEIGHT) for folder in folders]
    sets += [(load_site_questions(url, Path(path)), _WEIGHT_OF_A_SITE) for url, path in _pairs(site)]
    sets += [(crossed_questions(Path(folder), Path(path)), _WEIGHT_CROSSED) for folder, path in _pairs(crossed)]
    judged = {labelled.name: _judged(labelled, weight, keep) for labelled, weight in sets}
    start = Ranker({"pt": _PRIOR, "en": _PRIOR, CROSSED: _PRIOR_CROSSED}, _DENSE_FLOOR)
    fitted = _fit(judged, start, _provenance(sets))
    for name, item in judged.items():
        others = {other: one for other, one in judged.items() if _apart(one.labelled, item.labelled)}
        before, after, unseen = (item.ndcg(ranker) for ranker in (start, fitted, _fit(others, start)))
        typer.echo(f"{name}: start {before:.4f}, fitted with it {after:.4f}, without it {unseen:.4f}")
    target = Path(ranker_module.__file__).with_name(BUILTIN_E5)
    target.write_text(json.dumps(fitted.to_json(), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{json.dumps(fitted.weights)} written to {target}")


def _pairs(texts: Sequence[str] | None) -> Pairs:
    return [(left, right) for left, _, right in (text.rpartition("=") for text in texts or ())]


def crossed_questions(folder: Path, questions: Path) -> LabelledSet:
    """Pira's file names the question in English beside the id of the Portuguese one."""
    labelled = load_labelled_set(folder)
    with questions.open(encoding="utf-8", newline="") as file:
        english = {row["id_qa"]: row["question_en_origin"] for row in csv.DictReader(file)}
    asked = [replace(query, text=english[query.query_id]) for query in labelled.queries if query.query_id in english]
    return LabelledSet(f"{labelled.name}_crossed", labelled.addresses, asked, (*labelled.files, questions))


def _judged(labelled: LabelledSet, weight: float, keep: Path | None) -> Judged:
    """Search once, and rank what was found anew for every ranker."""
    folder = keep / labelled.name.removesuffix("_crossed") if keep else None
    with temporary_home(keep=folder) as home:
        bench = open_bench(home, labelled)
        known = (replace(query, relevant=bench.relevance(query)) for query in labelled.queries if query.answerable)
        found = [(query, bench.retriever.candidates(query.text)) for query in known if query.relevant]
    typer.echo(f"{labelled.name}: {len(found)} questions in {bench.seconds:.0f} s")
    return Judged(labelled, weight, found)


def _document(hit: Hit) -> str:
    return hit.doc_id


def _fit(judged: Mapping[str, Judged], start: Ranker, fitted_on: Mapping[str, object] | None = None) -> Ranker:
    ranker = start
    for _ in range(_ROUNDS):
        lists = [ranked for item in judged.values() for ranked in item.lists(ranker)]
        ranker = fit_ranker(lists, start, ridge=_RIDGE, fitted_on=fitted_on)
    return ranker


def _apart(one: LabelledSet, other: LabelledSet) -> bool:
    return set(one.addresses).isdisjoint(other.addresses)


def _provenance(sets: Sequence[tuple[LabelledSet, float]]) -> dict[str, object]:
    return {
        "sets": {labelled.name: len(labelled.queries) for labelled, _ in sets},
        "digest": short_digest(*(path.read_bytes() for labelled, _ in sets for path in labelled.files)),
    }


if __name__ == "__main__":
    typer.run(main)
