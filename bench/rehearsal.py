"""The learning loop in its short form, seed after seed, without server and daemon.

    python -m bench.rehearsal FOLDER… [--seeds 20] [--learner ranker] [--clicks right|wrong|random] [--house-words N]

A seed splits the documents in three: questions on the first part are golden, people ask those on the second, and the
third is withheld: neither pairs nor the gate know its questions. On these a release is judged at the end. The trainer
runs as a process, as always; what Dagster does in between, this program does.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.extractive import answer_question
from aion_assets.core.home import Home
from aion_assets.core.ids import digest
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.imported import import_golden
from aion_assets.core.learn.labelled import LabelledQuestion, load_labelled_set
from aion_assets.core.learn.measured import Measured, measure_order
from aion_assets.core.learn.metrics import paired_bootstrap
from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.learn.splits import freeze
from aion_assets.core.learn.trainings import RANKER, last_trainings
from aion_assets.core.record.answers import Asked, close_answer, open_answer
from aion_assets.core.record.feedback import record_click
from aion_assets.core.release.encoders import embedder_in_use
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import Release, current_release
from aion_assets.core.search.ranker import halves_only
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.settings import load_settings
from aion_assets.core.steps.candidate import measure_candidate, open_retriever
from aion_assets.core.steps.release import release_index
from aion_assets.core.steps.training import begin_training, finish_training
from bench.house_words import in_house_words
from bench.installation import aion, with_about
from bench.people import chosen
from trainer.embedder import embedder_of

_RUN = "rehearsal"
# Of the documents, by a hash with the seed.
_GOLDEN, _ASKED = 0.5, 0.8


@dataclass(frozen=True, slots=True)
class Parts:
    """`asked` and `withheld` name addresses."""

    asked: Sequence[LabelledQuestion]
    withheld: Sequence[LabelledQuestion]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, as `aion bench` takes them.")],
    seeds: Annotated[int, typer.Option(help="How many; the first is --first-seed.")] = 1,
    first_seed: Annotated[int, typer.Option(help="Of the splits and clicks.")] = 0,
    learner: Annotated[str, typer.Option(help="ranker, calibration or retriever_adapter.")] = RANKER,
    mode: Annotated[str, typer.Option(help="Of the retriever adapter: query or full.")] = "query",
    clicks: Annotated[str, typer.Option(help="What people click: right, wrong or random.")] = "right",
    limit: Annotated[int, typer.Option(help="Most questions that people ask; 0 for all.")] = 0,
    golden: Annotated[int, typer.Option(help="About so many golden questions of a folder; 0 for all.")] = 0,
    house_words: Annotated[int, typer.Option(help="So many words of the documents are invented ones.")] = 0,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    with TemporaryDirectory(prefix="aion-rehearsal-") as place:
        found = [folder.resolve() for folder in folders]
        if house_words:
            found = [in_words_of_a_house(path, keep or Path(place), house_words) for path in found]
        os.environ |= {"AION_RETRIEVER_ADAPTER_MODE": mode}
        filled = filled_home(found, (keep or Path(place)) / "filled")
        for seed in range(first_seed, first_seed + seeds):
            told = _rehearse(filled, Path(place) / str(seed), found, (seed, learner, clicks, limit, golden))
            typer.echo(json.dumps({"seed": seed, "learner": learner, "clicks": clicks, **told}))
            shutil.rmtree(Path(place) / str(seed))


def in_words_of_a_house(folder: Path, place: Path, count: int) -> Path:
    target = place / folder.name
    return target if target.is_dir() else in_house_words(folder, target, count, 0)


def filled_home(folders: Sequence[Path], home: Path) -> Path:
    """A home that holds the folders' documents."""
    if not (home / "ready").is_file():
        os.environ["AION_HOME"] = str(home)
        for folder in folders:
            name = folder.name.replace("_", "-")
            aion("source", "add", str(folder / "corpus.jsonl"), "--name", name, "--auto-approve")
        aion("run")
        (home / "ready").touch()
    return home


def _rehearse(
    filled: Path, place: Path, folders: Sequence[Path], asked: tuple[int, str, str, int, int]
) -> Mapping[str, Any]:
    seed, learner, clicks, limit, golden = asked
    shutil.copytree(filled, place, copy_function=_linked)
    os.environ["AION_HOME"] = str(place)
    home = Home(load_settings())
    try:
        parts = [_split(home, folder, seed, golden) for folder in folders]
        splits = freeze(home, str(seed))
        questions = [question for part in parts for question in part.asked]
        random.Random(seed).shuffle(questions)
        before = current_release(home.database, home.tenant_id)
        _ask(home, before, questions[: limit or len(questions)], clicks, seed)
        pairs = build_pairs(home)
        _learn(home, learner)
        training = last_trainings(home)[0]
        after = current_release(home.database, home.tenant_id)
        withheld = by_document(home, [question for part in parts for question in part.withheld])
        return {
            "outcome": training.outcome or training.state,
            "says": training.says,
            "golden": dict(splits),
            "pairs": dict(pairs.counts()),
            "figures": dict(training.figures),
            "withheld": len(withheld),
            **_compared(home, withheld, before, after),
        }
    finally:
        home.database.engine.dispose()


def _linked(source: str, target: str) -> str:
    """Models are hundreds of megabytes and never written to; the rest is copied."""
    if "/models/" in source:
        os.link(source, target)
        return target
    return str(shutil.copy2(source, target))


def _split(home: Home, folder: Path, seed: int, golden: int) -> Parts:
    labelled = load_labelled_set(folder)
    documents = {name for question in labelled.queries for name in question.relevant}
    share = {name: int(digest("rehearsal", str(seed), name)[:8], 16) / 16**8 for name in documents}
    of_golden = {name for name in documents if share[name] < _GOLDEN}
    import_golden(home, folder, with_about(of_golden, labelled.queries, golden))
    corpus = (folder / "corpus.jsonl").as_uri()
    asked, withheld = [], []
    for question in labelled.queries:
        of_documents = [share[name] for name in question.relevant]
        if not question.answerable or min(of_documents) < _GOLDEN:
            continue
        found = LabelledQuestion(question.text, {f"{corpus}#{name}": 1 for name in question.relevant})
        if max(of_documents) < _ASKED:
            asked.append(found)
        elif min(of_documents) >= _ASKED:
            withheld.append(found)
    return Parts(asked, withheld)


def _ask(home: Home, release: Release, questions: Sequence[LabelledQuestion], clicks: str, seed: int) -> None:
    """Record answers and clicks as the server does."""
    retriever = open_retriever(home, release, release.models, embedder_of(home, release.models))
    calibration = Calibration.from_json(release.models.calibration)
    for number, question in enumerate(questions):
        retrieval = retriever.retrieve(question.text)
        answer = answer_question(retrieval, calibration=calibration, tau=home.settings.tau_confidence)
        opened = open_answer(home.database, home.tenant_id, Asked(question.text, release.release_id, ""))
        record = close_answer(home.database, opened, retrieval, answer, {"total": 1.0})
        shown = [(item.number, item.passage.url in question.relevant) for item in record.citations or record.nearest]
        if clicked := chosen(clicks, shown, random.Random(f"{seed} {number}")):
            record_click(home, opened, clicked)


def _learn(home: Home, learner: str) -> None:
    task = begin_training(home, learner, _RUN)
    task.folder.mkdir(parents=True)
    task.request_file.write_text(json.dumps(dict(task.request)))
    command = [sys.executable, "-m", "trainer", learner, str(task.request_file), str(task.result_file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    result = json.loads(task.result_file.read_text())
    if finish_training(home, task, result, _RUN):
        measure_candidate(home, lambda models: embedder_of(home, models), _RUN)
        release_index(home, embedder_in_use(home), _RUN)


def _compared(
    home: Home, questions: Sequence[LabelledQuestion], before: Release, after: Release
) -> dict[str, list[float]]:
    """nDCG@10 before and after, and its gain with its interval, of the hybrid and of vectors alone."""
    found = {}
    retrievers = [_retriever(home, release, release.models) for release in (before, after)]
    alone = halves_only(1.0, 0.0)
    for name, sides in (
        ("hybrid", retrievers),
        ("dense", [retriever.with_ranker(alone) for retriever in retrievers]),
    ):
        one, other = (measure_order(retriever, questions) for retriever in sides)
        found[name] = [round(value, 4) for value in (_mean(one), _mean(other), *paired_bootstrap(one.ndcg, other.ndcg))]
    return found


def _retriever(home: Home, release: Release, models: ModelManifest) -> Retriever:
    return open_retriever(home, release, models, embedder_of(home, models))


def _mean(measured: Measured) -> float:
    return sum(measured.ndcg) / max(1, len(measured.ndcg))


if __name__ == "__main__":
    typer.run(main)
