"""The learning loop, once around: `python -m bench.learning FOLDER… [--seed N] [--clicks right|wrong|random]`.

A home gets the documents of the folders, in BEIR's form. Half of the documents belong to golden questions, half to
questions that simulated people ask the real server, and whose sources they click. The documents are in words that
readers do not use, as houses have them, so that much less is found than the threshold asks for. Then the real daemon
runs: its watch starts a learner, the gate judges, and a release swaps while people go on asking. What is printed was
measured on documents that were never trained on. With --house-words 0 the documents stay as they are, and a threshold
beyond today's figure makes the watch see a drop. With --learner nothing needs to drop: that learner is asked for, as a
person would. With --until-suspended the watch goes on until it has nothing left to try.
"""

import json
import os
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from aion_assets.core.home import Home
from aion_assets.core.learn.evaluate import K
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.metrics import paired_bootstrap
from aion_assets.core.learn.quality_drop import is_suspended
from aion_assets.core.learn.reports import CANDIDATE, newest_report
from aion_assets.core.learn.splits import freeze
from aion_assets.core.learn.trainings import RELEASED, Training, last_trainings, request_training
from aion_assets.core.learn.watch import last_look, remember
from aion_assets.core.release.releases import current_release, list_releases, read_model_release
from aion_assets.core.settings import load_settings
from bench.elsewhere import ask_elsewhere
from bench.house_words import in_house_words
from bench.installation import bring_in, running, say, wait_for_training
from bench.people import People, Streams

# Thresholds on the wrong side of every figure that is not perfect, so that the watch sees one of the two drop. With
# words that readers do not use the order is below the threshold as it is, whatever that does to answers.
_DROPS = {
    "words": {"AION_TAU_FALLBACK": "1"},
    "ndcg": {"AION_TAU_NDCG": "0.999", "AION_TAU_FALLBACK": "1"},
    "fallback": {"AION_TAU_NDCG": "0", "AION_TAU_FALLBACK": "0.001"},
}
# Questions asked of the set that is not learned.
_ELSEWHERE = 200


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, as `aion bench` takes them.")],
    seed: Annotated[int, typer.Option(help="Of the split and of the clicks.")] = 0,
    clicks: Annotated[str, typer.Option(help="What people click: right, wrong or random.")] = "right",
    drop: Annotated[str, typer.Option(help="What the watch sees drop: ndcg or fallback.")] = "ndcg",
    learner: Annotated[str, typer.Option(help="Ask for this learner instead of waiting for a drop.")] = "",
    mode: Annotated[str, typer.Option(help="Of the retriever adapter: auto, query or full.")] = "auto",
    limit: Annotated[int, typer.Option(help="Most questions that people ask of a folder; 0 for all.")] = 300,
    golden: Annotated[int, typer.Option(help="About so many golden questions of a folder; 0 for all.")] = 300,
    house_words: Annotated[int, typer.Option(help="So many words of the documents are invented ones.")] = 1000,
    elsewhere: Annotated[
        Path | None, typer.Option(help="A set that is asked before and after, and not learned.")
    ] = None,
    until_suspended: Annotated[bool, typer.Option(help="Wait until the watch has nothing left to try.")] = False,
    streams: Annotated[int, typer.Option(help="Streams of questions while the release swaps.")] = 20,
    port: Annotated[int, typer.Option(help="Of the server; Dagster's is the next.")] = 8120,
    kept: Annotated[Path | None, typer.Option(help="A new folder for the home, which stays.")] = None,
) -> None:
    with nullcontext(str(kept)) if kept else TemporaryDirectory(prefix="aion-learning-") as folder:
        say(f"home {folder}, seed {seed}, {clicks} clicks")
        os.environ |= {"AION_HOME": folder, "AION_PORT": str(port), "AION_DAGSTER_PORT": str(port + 1)}
        os.environ |= {"AION_LEARN_EVERY_S": "600", "AION_RETRIEVER_ADAPTER_MODE": mode}
        os.environ |= _DROPS["words" if house_words and drop == "ndcg" else drop]
        os.environ["AION_LEARN_AUTOMATICALLY"] = str(not learner)
        if until_suspended:
            os.environ["AION_LEARN_PAUSE_S"] = "0"
        home = Home(load_settings())
        found = [path.resolve() for path in folders]
        if house_words:
            found = [in_house_words(path, Path(folder) / "sets" / path.name, house_words, seed) for path in found]
        asked = [question for path in found for question in bring_in(home, path, seed, (limit, golden))]
        say(f"frozen: {dict(freeze(home, str(seed)))}; {len(asked)} questions are left for people to ask")
        people = People(f"http://127.0.0.1:{port}", clicks, seed)
        with running("serve", port):
            people.ask(asked)
        say(f"asked {people.asked}, sources clicked {people.clicked}, of which right {people.right}")
        if not people.right and clicks != "wrong":
            raise SystemExit("No right source was clicked: these people know other addresses than the answers have.")
        with running("up", port), Streams(people, asked, streams) as traffic:
            if learner:
                request_training(home, learner, "bench", "Asked for.")
            training = wait_for_training(home, until_suspended=until_suspended)
            _wait_for_swap(home, people)
        told = _report(home, training, traffic)
        if elsewhere is not None and training.outcome == RELEASED:
            sides = (
                read_model_release(home.database, training.incumbent),
                current_release(home.database, home.tenant_id).models,
            )
            told |= ask_elsewhere(home, elsewhere, sides, _ELSEWHERE)
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


def _wait_for_swap(home: Home, people: People) -> None:
    """Until the server answers from the current release, and a little longer."""
    current = current_release(home.database, home.tenant_id).release_id
    deadline = time.monotonic() + 60
    while people.release_id() != current and time.monotonic() < deadline:
        time.sleep(1)
    time.sleep(5)


def _report(home: Home, training: Training, traffic: Streams) -> dict[str, Any]:
    found: dict[str, Any] = {
        "learner": training.learner,
        "outcome": training.outcome,
        "says": training.says,
        "trainings": [f"{item.learner}: {item.outcome or item.state}" for item in reversed(last_trainings(home))],
        "watch": last_look(home)[1],
        "suspended": is_suspended(remember(home)),
        "releases": len(list_releases(home.database, home.tenant_id)),
        "answers_meanwhile": traffic.answered,
        "failed_meanwhile": traffic.failed,
        "releases_that_answered": len(traffic.releases),
    }
    stored = newest_report(home, CANDIDATE, training.candidate) if training.candidate else None
    if stored is not None:
        before, after = (Measured.from_json(stored.body[name]) for name in ("before", "after"))
        found |= {"before": before.figures(), "after": after.figures()}
        found["ndcg_gain"] = _gain(before, after)
        if dense := stored.body.get("dense"):
            alone = [Measured.from_json(dense[name]) for name in ("before", "after")]
            found["dense"] = [item.figures()[f"ndcg@{K}"] for item in alone]
            found["dense_gain"] = _gain(*alone)
        found["figures"] = dict(training.figures)
    return found


def _gain(before: Measured, after: Measured) -> list[float]:
    """Of nDCG@10, with the bounds of its 95 % interval."""
    return [round(value, 4) for value in paired_bootstrap(before.ndcg, after.ndcg)]


if __name__ == "__main__":
    typer.run(main)
