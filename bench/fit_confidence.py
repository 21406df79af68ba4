"""Fit the built-in calibration: `python -m bench.fit_confidence FOLDER… [--limit N]`.

Every set goes through the real pipeline. Its questions are asked as they are (the answer is there), with their right
documents hidden (it is absent, all the rest of the topic is there), and those of the other sets are asked of it (off
topic). Prints AUROC on each set, fitted with it and without it, and writes `core/builtin_calibration.json`.
"""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from aion_assets.core import confidence
from aion_assets.core.confidence import Calibration, Case, fit_calibration
from aion_assets.core.ids import short_digest
from aion_assets.core.metrics import auroc
from aion_assets.core.settings import Settings
from bench.evaluate import Bench, open_bench
from bench.ingest import temporary_home
from bench.labelled import LabelledSet, Query, load_labelled_set

TARGET = Path(confidence.__file__).with_name("builtin_calibration.json")
# What is expected of a question put to a knowledge base: two of three can be answered, one in five asks for what the
# base speaks of but does not hold, the rest is about something else. The shares move where τ cuts, not the order.
EXPECTED = {"answerable": 0.65, "removed": 0.22, "off_topic": 0.13}
# Every set weighs as much as this many questions, however many it has.
WEIGHT_OF_A_SET = 1000.0

Cases = dict[str, list[Case]]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, as `aion bench` takes them.")],
    limit: Annotated[int, typer.Option(help="Questions of each kind and set.")] = 500,
) -> None:
    sets = [load_labelled_set(folder, 0) for folder in folders]
    cases: dict[str, Cases] = {}
    embedder_id = ""
    for labelled in sets:
        with temporary_home() as home:
            embedder_id = home.embedder.embedder_id
            bench = open_bench(home, labelled)
            cases[labelled.name] = _cases(bench, [item for item in sets if item is not labelled], limit)
        counts = {kind: len(found) for kind, found in cases[labelled.name].items()}
        typer.echo(f"{labelled.name}: {counts} in {bench.seconds:.0f} s")
    calibration = _fit(cases, embedder_id, sets, limit)
    for name in cases:
        others = {other: found for other, found in cases.items() if other != name}
        unseen = _fit(others, embedder_id, sets, limit) if others else calibration
        typer.echo(
            f"{name}: fitted with it {_figures(calibration, cases[name])}, without it {_figures(unseen, cases[name])}"
        )
    TARGET.write_text(json.dumps(calibration.to_json(), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"written to {TARGET}")


def _cases(bench: Bench, others: Sequence[LabelledSet], limit: int) -> Cases:
    chance = random.Random(0)
    queries = [query for query in bench.labelled.queries if query.relevant]
    chance.shuffle(queries)
    answerable = [query for query in queries if query.answerable][:limit]
    elsewhere = [query for other in others for query in _some(other.queries, limit // len(others), chance)]

    def case(query: Query, present: bool, hidden: Sequence[str] = ()) -> Case:
        retrieval = bench.retriever.retrieve(query.text, hidden_docs=hidden)
        return Case(retrieval.features, retrieval.language, present)

    return {
        "answerable": [case(query, True) for query in answerable],
        "removed": [case(query, False, list(bench.relevance(query))) for query in answerable],
        "off_topic": [case(query, False) for query in elsewhere],
        # Asked about a passage that is there and does not say: for reading to tell, not for retrieval.
        "near_miss": [case(query, False) for query in queries if not query.answerable][:limit],
    }


def _some(queries: Sequence[Query], count: int, chance: random.Random) -> list[Query]:
    return chance.sample(list(queries), min(count, len(queries)))


def _fit(cases: Mapping[str, Cases], embedder_id: str, sets: Sequence[LabelledSet], limit: int) -> Calibration:
    weighed = [
        Case(case.evidence, case.language, case.answerable, share * WEIGHT_OF_A_SET / len(found[kind]))
        for found in cases.values()
        for kind, share in EXPECTED.items()
        for case in found[kind]
    ]
    files = [item.corpus.with_name(name) for item in sets for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv")]
    return fit_calibration(
        weighed,
        embedder_id=embedder_id,
        fitted_on={
            "sets": {name: {kind: len(found[kind]) for kind in EXPECTED} for name, found in cases.items()},
            "n": len(weighed),
            "limit": limit,
            "expected_shares": EXPECTED,
            "digest": short_digest(*(path.read_bytes() for path in files)),
        },
    )


def _figures(calibration: Calibration, cases: Cases) -> str:
    scores = {
        kind: [calibration.confidence(case.evidence, case.language) for case in found] for kind, found in cases.items()
    }
    tau = Settings.model_fields["tau_confidence"].default
    areas = {kind: auroc(scores["answerable"], found) for kind, found in scores.items() if kind != "answerable"}
    admitted = {kind: sum(score >= tau for score in found) / max(1, len(found)) for kind, found in scores.items()}
    return " ".join(
        [f"AUROC {kind} {area:.3f}" for kind, area in areas.items() if area == area]
        + [f"admitted {kind} {share:.2f}" for kind, share in admitted.items() if scores[kind]]
    )


if __name__ == "__main__":
    typer.run(main)
