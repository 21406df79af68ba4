"""Fit the built-in calibration: `python -m bench.fit_confidence FOLDER… [--site URL=QUESTIONS]… [--limit N]`.

Every set goes through the real pipeline. Its questions are asked as they are (the answer is there) and with their right
documents hidden (the answer is absent, the rest of the topic is there). Questions of the other sets are asked, too (off
topic). On a site other pages often answer as well, so there the questions without an answer stand for the absent ones.
All sites are also asked as one base of several sources. Prints AUROC on each set, fitted with it and without it, and
writes the calibration of the embedder of the settings to `aion_assets/core/answer/`.
"""

import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aion_assets.core.answer import confidence
from aion_assets.core.answer.confidence import OF_E5, PAGES_OF_E5, Calibration, builtin_file
from aion_assets.core.ids import short_digest
from aion_assets.core.learn.calibration import Case, fit_calibration
from aion_assets.core.learn.labelled import (
    LabelledQuestion,
    LabelledSet,
    load_labelled_set,
    load_site_questions,
    together,
)
from aion_assets.core.learn.metrics import auroc
from aion_assets.core.settings import Settings
from bench.evaluate import Bench, open_bench
from bench.ingest import temporary_home

# Assumed questions to a knowledge base: three of four can be answered, one in seven is on its subject but has no
# answer, the rest is about something else. The shares move the point where τ cuts, not the order.
EXPECTED = {"answerable": 0.75, "absent": 0.15, "off_topic": 0.10}
# Every set weighs as much as so many questions, however many it has. How-to questions to a site share fewer words with
# their answers than questions written for a passage: fitted without sites, most of them are refused. A larger weight of
# the Portuguese sites lowers AUROC on the sets.
WEIGHT_OF_A_SET = 1000.0
WEIGHT_OF_A_SITE = {"pt": 100.0, "en": 500.0}

_SITES_TOGETHER = "sites"

Cases = dict[str, list[Case]]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, as `aion bench` takes them.")],
    site: Annotated[list[str] | None, typer.Option(help="ADDRESS=QUESTIONS.jsonl of a site; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(help="Questions of each kind and set.")] = 300,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    sites = [load_site_questions(url, Path(path)) for url, _, path in (text.rpartition("=") for text in site or ())]
    alone = [*(load_labelled_set(folder, 0) for folder in folders), *sites]
    sets = [*alone, together(_SITES_TOGETHER, sites)] if len(sites) > 1 else alone
    names_of_sites = {_SITES_TOGETHER, *(item.name for item in sites)}
    cases: dict[str, Cases] = {}
    embedder_id = ""
    for labelled in sets:
        with temporary_home(keep=keep / labelled.name if keep else None) as home:
            embedder_id = home.embedder.embedder_id
            bench = open_bench(home, labelled)
            found = cases_of(bench, [item for item in alone if not _share_sources(item, labelled)], limit)
        found["absent"] = found["near_miss" if labelled.name in names_of_sites else "removed"]
        cases[labelled.name] = found
        counts = {kind: len(some) for kind, some in found.items()}
        typer.echo(f"{labelled.name}: {counts} in {bench.seconds:.0f} s")

    def fitted(some: Mapping[str, Cases]) -> Calibration:
        return fit_calibration(
            _weighed(some, names_of_sites), embedder_id=embedder_id, fitted_on=_provenance(some, sets, limit)
        )

    calibration = fitted(cases)
    for labelled in sets:
        others = {item.name: cases[item.name] for item in sets if not _share_sources(item, labelled)}
        unseen = fitted(others) if others else calibration
        figures = [_figures(fit, cases[labelled.name]) for fit in (calibration, unseen)]
        typer.echo(f"{labelled.name}: fitted with it {figures[0]}, without it {figures[1]}")
    # What the answers of e5 add is fitted by `bench.fit_answer_confidence`.
    name = builtin_file(embedder_id)
    target = Path(confidence.__file__).with_name(PAGES_OF_E5 if name == OF_E5 else name)
    target.write_text(json.dumps(calibration.to_json(), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"written to {target}")


def _share_sources(one: LabelledSet, other: LabelledSet) -> bool:
    return not set(one.addresses).isdisjoint(other.addresses)


def cases_of(bench: Bench, others: Sequence[LabelledSet], limit: int) -> Cases:
    chance = random.Random(0)
    queries = list(bench.labelled.queries)
    chance.shuffle(queries)
    answerable = [query for query in queries if query.answerable and bench.relevance(query)][:limit]
    elsewhere = [query for other in others for query in _some(other.queries, limit // len(others), chance)]

    def case(query: LabelledQuestion, present: bool, hidden: Sequence[str] = ()) -> Case:
        retrieval = bench.retriever.retrieve(query.text, hidden_docs=hidden)
        return Case(retrieval.features, retrieval.language, present)

    return {
        "answerable": [case(query, True) for query in answerable],
        "removed": [case(query, False, list(bench.relevance(query))) for query in answerable],
        "off_topic": [case(query, False) for query in elsewhere],
        # On the subject, but without an answer. In a set they are about a passage that is there; only reading it can
        # tell.
        "near_miss": [case(query, False) for query in queries if not query.answerable][:limit],
    }


def _some(queries: Sequence[LabelledQuestion], count: int, chance: random.Random) -> list[LabelledQuestion]:
    return chance.sample(list(queries), min(count, len(queries)))


def _weighed(cases: Mapping[str, Cases], sites: Collection[str]) -> list[Case]:
    return [
        replace(case, weight=share * _weight(name, case.language, sites) / len(found[kind]))
        for name, found in cases.items()
        for kind, share in EXPECTED.items()
        for case in found[kind]
    ]


def _weight(name: str, language: str, sites: Collection[str]) -> float:
    return WEIGHT_OF_A_SITE[language] if name in sites else WEIGHT_OF_A_SET


def _provenance(cases: Mapping[str, Cases], sets: Sequence[LabelledSet], limit: int) -> dict[str, object]:
    return {
        "sets": {name: {kind: len(found[kind]) for kind in EXPECTED} for name, found in cases.items()},
        "limit": limit,
        "expected_shares": EXPECTED,
        "digest": short_digest(*(path.read_bytes() for item in sets for path in item.files)),
    }


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
