"""What clicks of simulated people tell of themselves: `python -m bench.click_evidence FOLDER… [--house-words N]`.

The questions of the folders are asked once. Then seeds draw some of them, and people click what is right, what is wrong
or anything, as in the other rehearsals. A line says how many seeds of these clicks are believed and how many doubted.
"""

import json
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.extractive import answer_question
from aion_assets.core.home import Home
from aion_assets.core.learn.click_evidence import Choice, ClickEvidence, click_evidence
from aion_assets.core.learn.labelled import load_labelled_set
from aion_assets.core.release.releases import current_release
from aion_assets.core.settings import load_settings
from aion_assets.core.steps.candidate import open_retriever
from bench.people import chosen
from bench.rehearsal import filled_home, in_words_of_a_house
from trainer.embedder import embedder_of

_CLICKS = ("right", "random", "wrong")
# Questions that a seed draws.
_ASKED = (200, 400, 600, 1000)

# Of an answer's sources: number, whether it is right, and its signals.
Shown = Sequence[tuple[int, bool, Mapping[str, float]]]


def main(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, as `aion bench` takes them.")],
    house_words: Annotated[int, typer.Option(help="So many words of the documents are invented ones.")] = 0,
    limit: Annotated[int, typer.Option(help="Most questions of a folder.")] = 500,
    seeds: Annotated[int, typer.Option(help="How many.")] = 20,
    keep: Annotated[Path | None, typer.Option(help="Keep what was embedded in this folder for the next run.")] = None,
) -> None:
    with TemporaryDirectory(prefix="aion-clicks-") as place:
        kept = keep or Path(place)
        found = [folder.resolve() for folder in folders]
        if house_words:
            found = [in_words_of_a_house(path, kept, house_words) for path in found]
        filled = filled_home(found, kept / "filled")
        os.environ["AION_HOME"] = str(filled)
        answers = _answers(Home(load_settings()), found, limit)
        for count in _ASKED:
            for clicks in _CLICKS:
                drawn = [_evidence(random.Random(seed).sample(answers, min(count, len(answers))), clicks, seed)
                         for seed in range(seeds)]  # fmt: skip
                typer.echo(json.dumps({"asked": min(count, len(answers)), "clicks": clicks, **_told(drawn)}))


def _answers(home: Home, folders: Sequence[Path], limit: int) -> list[Shown]:
    release = current_release(home.database, home.tenant_id)
    retriever = open_retriever(home, release, release.models, embedder_of(home, release.models))
    calibration = Calibration.from_json(release.models.calibration)
    found: list[Shown] = []
    for folder in folders:
        corpus = (folder / "corpus.jsonl").as_uri()
        questions = [question for question in load_labelled_set(folder).queries if question.answerable]
        random.Random(0).shuffle(questions)
        for question in questions[:limit]:
            retrieval = retriever.retrieve(question.text)
            answer = answer_question(retrieval, calibration=calibration, tau=home.settings.tau_confidence)
            scores = {hit.chunk_id: hit.scores for hit in retrieval.hits}
            right = {f"{corpus}#{name}" for name in question.relevant}
            found.append([(item.number, item.passage.url in right, scores[item.passage.chunk_id])
                          for item in answer.citations or answer.nearest])  # fmt: skip
    return found


def _evidence(answers: Sequence[Shown], clicks: str, seed: int) -> ClickEvidence:
    choices = []
    for number, shown in enumerate(answers):
        clicked = chosen(clicks, [item[:2] for item in shown], random.Random(f"{seed} {number}"))
        if clicked:
            choices.append(Choice([item[2] for item in shown], [item[0] for item in shown].index(clicked)))
    return click_evidence(choices)


def _told(drawn: Sequence[ClickEvidence]) -> dict[str, float]:
    return {
        "that tell": round(sum(one.clicks for one in drawn) / len(drawn)),
        "score": round(sum(one.gains["score"][0] for one in drawn if one.gains) / len(drawn), 2),
        "believed": sum(one.is_believed for one in drawn),
        "doubted": sum(bool(one.doubt) for one in drawn),
        "of": len(drawn),
    }


if __name__ == "__main__":
    typer.run(main)
