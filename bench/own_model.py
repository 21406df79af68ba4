"""A generator of one's own, once around: `AION_BASE_MODEL=… python -m bench.own_model FOLDER [--seed N]`.

A home gets the folder's documents, in BEIR's form. Half of them belong to golden questions; on the others people ask
the real server, which quotes. Then the daemon runs and the generator's training is asked for, as a person would: rows,
adapter, report, gate, release. The golden questions that measure are then put to `/api/chat`, which the released model
answers. No document of theirs was trained on.
"""

import json
import os
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from aion_assets.core.home import Home
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.generator_cases import OBEYED
from aion_assets.core.learn.generator_gate import Written
from aion_assets.core.learn.golden import measured_questions
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.reports import GENERATED, newest_report
from aion_assets.core.learn.splits import freeze
from aion_assets.core.learn.trainings import GENERATOR, Training, request_training
from aion_assets.core.settings import load_settings
from bench.installation import bring_in, running, say, wait_for_training
from bench.people import People

# Golden questions that the released model is asked.
_ASKED_AFTER = 40


def main(
    folder: Annotated[Path, typer.Argument(help="A labelled set, as `aion bench` takes them.")],
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    limit: Annotated[int, typer.Option(help="Most questions that people ask; 0 for all.")] = 0,
    port: Annotated[int, typer.Option(help="Of the server; Dagster's is the next.")] = 8140,
    kept: Annotated[Path | None, typer.Option(help="A new folder for the home, which stays.")] = None,
) -> None:
    with nullcontext(str(kept)) if kept else TemporaryDirectory(prefix="aion-own-model-") as home_folder:
        say(f"home {home_folder}, seed {seed}")
        os.environ |= {"AION_HOME": home_folder, "AION_PORT": str(port), "AION_DAGSTER_PORT": str(port + 1)}
        os.environ |= {"AION_LEARN_AUTOMATICALLY": "False", "AION_MODEL_PORT": str(port + 2)}
        home = Home(load_settings())
        asked = bring_in(home, folder.resolve(), seed, (limit, 0))
        say(f"frozen: {dict(freeze(home, str(seed)))}; {len(asked)} questions are left for people to ask")
        people = People(f"http://127.0.0.1:{port}", "right", seed)
        with running("serve", port):
            people.ask(asked)
        with running("up", port):
            request_training(home, GENERATOR, "bench", "Asked for.")
            training = wait_for_training(home)
            say(training.says)
            typer.echo(json.dumps(_found(home, training), ensure_ascii=False, indent=1))
            golden = by_document(home, measured_questions(home))[:_ASKED_AFTER]
            typer.echo(json.dumps(_ask(people, golden), ensure_ascii=False, indent=1))


def _ask(people: People, golden: list[LabelledQuestion]) -> dict[str, int]:
    """How many answers there were, by who wrote them, and of those with a citation how many cite a right document."""
    counted: Counter[str] = Counter()
    with people.client() as client:
        for question in golden:
            answer = people.answer(client, question.text)
            counted[answer["used"]] += 1
            cited = {item["doc_id"] for item in answer["citations"]}
            counted[f"{answer['used']}, a right document cited"] += bool(cited & question.relevant.keys())
    return dict(counted)


def _found(home: Home, training: Training) -> dict[str, Any]:
    found: dict[str, Any] = {"outcome": training.outcome, "says": training.says, "figures": dict(training.figures)}
    stored = newest_report(home, GENERATED, training.candidate) if training.candidate else None
    if stored is not None:
        before, after = (Written.from_json(stored.body[side]) for side in ("before", "after"))
        found |= {"before": before.figures(), "after": after.figures()}
        newly = [name for name in after.cases if _obeyed(after, name) > _obeyed(before, name)]
        found["newly_obeyed"] = {name: after.cases[name].text for name in newly}
    return found


def _obeyed(written: Written, case_id: str) -> float:
    return written.cases[case_id].scores.get(OBEYED, 0.0)


if __name__ == "__main__":
    typer.run(main)
